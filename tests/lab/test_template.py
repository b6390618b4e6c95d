"""Clones of the template (tests.support.template) are what a Python that was started is."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S, children_of, is_running, wait_until
from tests.support import warm

pytestmark = pytest.mark.skipif(warm.Warm.template is None, reason="every process is started here")

#: As the lab gives it to a process that starts no others; what follows is the test's.
BEGIN = "import sys; sys.path.append('/nowhere'); from econnlab.link.__main__ import main; "
#: All that a process can see of how it began.
SHOW = r"""
import gc, json, locale, os, resource, signal, threading

def stream(each):
    raw = getattr(each.buffer, "raw", each.buffer)
    kept = [each.name, each.mode, each.encoding, each.errors, each.line_buffering, each.write_through]
    return [*kept, type(each.buffer).__name__, raw.name, raw.mode, raw.closefd]

lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
kept = "Name Umask Uid Gid Groups SigBlk SigIgn SigCgt SigPnd NoNewPrivs Threads Cpus_allowed CapEff".split()
main = sorted(globals())
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "cwd": os.getcwd(),
    "environment": dict(os.environ), "parent": os.getppid(), "main": main, "name": __name__,
    "leads session": os.getsid(0) == os.getpid(), "leads group": os.getpgid(0) == os.getpid(),
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "handed on": [os.get_inheritable(number) for number in range(3)],
    "signals": {number: repr(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()},
    "limits": [resource.getrlimit(getattr(resource, n)) for n in sorted(dir(resource)) if n[:7] == "RLIMIT_"],
    "status": {name: lines[name] for name in kept}, "locale": locale.setlocale(locale.LC_ALL),
    "streams": [stream(each) for each in (sys.stdin, sys.stdout, sys.stderr)],
    "usual": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
    "thread": threading.get_native_id() == os.getpid(), "gc": [gc.isenabled(), gc.get_threshold()],
    "command line": open("/proc/self/cmdline").read().rstrip("\0").split("\0"),
}))
signal.raise_signal(signal.SIGURG)  # needs the thread's id where the C library keeps it
"""

PLAIN = 'title = "nothing happens"\n[plan]\nintervals = "20ms"\nrequests = 2\n'


def words(code):
    return [sys.executable, "-P", "-c", BEGIN + code, "an argument"]


def both(code, **settings):
    """How a process ends that was started, and a clone that does the same."""
    ended = []
    for popen in (warm.Started, warm.Warm):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with popen(words(code), text=True, **{**pipes, **settings}) as process:
            out, err = process.communicate(timeout=DEADLINE_S)
        ended.append((process.returncode, out, err.splitlines()[-1:]))
    return ended


@pytest.fixture
def ignored():
    """SIGHUP ignored and SIGUSR1 blocked here, the open files limited: a process inherits it all."""
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGHUP, handler)


@pytest.mark.parametrize("session", [False, True])
def test_it_sees_what_a_new_process_sees(ignored, tmp_path, session):
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "LC_", "LANG"))}
    read, write = os.pipe()
    (started, out, said), clone = both(
        f"exec({SHOW!r})",
        cwd=tmp_path,
        env={**kept, "KEPT": "é\udcff"},
        start_new_session=session,
        pass_fds=[read],
    )
    os.close(read)
    os.close(write)
    assert (started, said) == (0, [])
    assert json.loads(clone[1]) == json.loads(out)
    assert clone == (started, out, said)
    assert json.loads(out)["parent"] == os.getpid()


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit('a text')",
        "sys.exit(3)",
        "sys.exit()",
        "raise KeyboardInterrupt",
        "1 / 0",
        "import os; os.kill(os.getpid(), 15)",
        "import atexit; atexit.register(print, 'last'); print('first')",
        "import os; os.close(1); print('to nobody')",
        "import threading; threading.Timer(0.1, print, ['of a thread']).start()",
    ],
)
def test_it_ends_as_a_new_process_ends(code):
    started, clone = both(code)
    assert clone == started


def test_a_signal_that_comes_at_once_is_not_lost():
    with warm.Warm(
        words("import threading; threading.Event().wait(60)"), stderr=subprocess.DEVNULL
    ) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == -signal.SIGINT


def test_many_threads_may_start_some():
    codes = []

    def start(number):
        with warm.Warm(words(f"sys.exit({number})")) as process:
            codes.append((process.wait(DEADLINE_S), number))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(codes) == 20
    assert all(code == number for code, number in codes)


@pytest.mark.parametrize(
    "settings",
    [
        {"preexec_fn": os.getpid},
        {"env": {"LANG": "tlh_QX"}},
        {"env": {"PYTHONSAFEPATH": "yes"}},
        {"umask": 0o77},
        {"process_group": 0},
    ],
)
def test_what_a_clone_cannot_be_is_started(settings):
    code = "print(open('/proc/self/comm').read() == 'python\\n', 'tests.support.template' in sys.modules)"
    with warm.Warm(words(code), stdout=subprocess.PIPE, text=True, **settings) as process:
        assert process.communicate(timeout=DEADLINE_S)[0] == "True False\n"


def test_a_module_in_the_users_folder_has_the_command_started(cli):
    (cli.folder / "socket.py").write_text("open('mistaken', 'w').close(); raise SystemExit")
    cli.run_alone("maxconn")
    assert (cli.folder / "mistaken").exists()


def test_a_template_ends_with_its_owner(cli):
    """Each command has one of its own, for the processes that it starts."""
    process = cli.start("serve", "--port", "0")
    process.stdout.readline()
    everything = children_of(process.pid, templates=True)
    (server,) = children_of(process.pid)
    assert len(everything) == 2
    assert "econnlab.server" in Path(f"/proc/{server}/cmdline").read_text()
    process.kill()
    wait_until(lambda: not any(map(is_running, everything)), "the end of server and template")


@pytest.mark.parametrize(
    "arguments",
    [
        ["keepalive", "--interval", "20", "--requests", "2"],  # server and link
        ["run", "plain.toml"],  # a worker
        ["run", "wire.toml"],  # the wire
        ["remedies", "keepalive", "--requests", "2", "--remedy", "small-pool"],  # the lab's own warm process
    ],
)
def test_the_labs_processes_also_begin_when_they_are_started(cli, cold, arguments):
    (cli.folder / "plain.toml").write_text(PLAIN)
    (cli.folder / "wire.toml").write_text(
        f"{PLAIN}[kernel]\npacket_delay = 1\nsettings = {{ tcp_fin_timeout = 30 }}\n"
    )
    done = cli.run(*arguments)
    if "no network of its own" in done.stdout:
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stderr + done.stdout

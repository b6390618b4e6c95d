"""``--capture`` through the door a user takes: real packets, and what is written on them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from econnlab.lab import children
from econnlab.lab.topology import Topology
from econnlab.packets.frames import ETHERNET, RAW
from econnlab.packets.layers import ACK, FIN, RST, SYN, segment
from econnlab.packets.reading import read_capture
from econnlab.scenario.catalogue import load
from tests.conftest import DEADLINE_S, children_of, is_running, wait_until
from tests.support import warm

ROOT = Path(__file__).parents[2]
RACE = [
    "keepalive", "--keepalive-timeout", "100", "--interval", "100", "--sessions", "6", "--requests", "5",
    "--link", "20ms~0.3",
]  # fmt: skip
NEAR, FAR = bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2])
WIRED = """
[server]
[kernel]
packet_delay = "5ms"
settings = {}
[plan]
intervals = "20ms"
sessions = 2
requests = 2
"""
NOBODY = 65534


class Seen(NamedTuple):
    at_ns: int
    comment: str
    source: bytes
    target: bytes
    flags: int
    payload: bytes


def frames_of(path):
    with path.open("rb") as stream:
        reader = read_capture(stream)
        frames = list(reader)
        assert reader.cut_at is None
    return frames


def seen_in(path):
    found = []
    for at_ns, link_type, data, length, comment in frames_of(path):
        one = segment(link_type, data, length)
        found.append(
            Seen(at_ns, comment, one.source, one.target, one.flags, data[one.start : one.start + one.size])
        )
    return found


@pytest.fixture(scope="module")
def capturing(tmp_path_factory):
    """Skips, with the reason, where this user may capture neither here nor in a network of its own."""
    path = tmp_path_factory.mktemp("capturing") / "x.pcapng"
    words = [sys.executable, "-m", "econnlab", "maxconn", "--capture", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S * 2)
    assert done.returncode == 0, done.stderr
    if not path.exists():
        pytest.skip(done.stderr)


# -- what is in it --------------------------------------------------------------------------------


def test_each_attempt_says_what_became_of_it_on_its_own_packet(cli, capturing):
    began = time.time_ns()
    done = cli.run_alone(*RACE, "--capture", "run.pcapng", "--json", "run.json", "--save", "run.jsonl")
    ended = time.time_ns()
    assert done.returncode == 0, done.stderr
    assert "the capture has gaps" not in done.stderr
    packets = seen_in(cli.folder / "run.pcapng")
    assert all(began < packet.at_ns < ended for packet in packets)
    lines = map(json.loads, (cli.folder / "run.jsonl").read_text().splitlines())
    attempts = [line["attempt"] for line in lines if "attempt" in line]
    assert len(attempts) == 30
    for attempt in attempts:
        name = f"request {attempt['request']} of session {attempt['session']}, attempt {attempt['number']}: "
        (packet,) = [each for each in packets if each.comment.startswith(f"econnlab: {name}")]
        assert f"X-Econnlab-Request: {attempt['request_id']}\r\n".encode() in packet.payload
        assert f"{name}{attempt['outcome']}, " in packet.comment


def test_each_failure_is_told_on_the_packet_that_ended_its_connection_as_well(cli, capturing):
    done = cli.run_alone(*RACE, "--capture", "run.pcapng", "--json", "run.json")
    assert done.returncode == 0, done.stderr
    packets = seen_in(cli.folder / "run.pcapng")
    failures = json.loads((cli.folder / "run.json").read_text())["failures"]
    assert failures
    for failure in failures:
        name = f"request {failure['request']} of session {failure['session']}, attempt {failure['attempt']}: "
        verdict = f"{failure['outcome']}, {failure['cause']} ({failure['certainty']}): {failure['evidence']}"
        (asked,) = [each for each in packets if each.comment.startswith(f"econnlab: {name}{verdict}")]
        (end,) = [
            each for each in packets if each.comment.startswith("econnlab: this ") and name in each.comment
        ]
        assert asked.comment.endswith("; not carried out")
        assert verdict in end.comment
        assert end.flags & (FIN | RST)
        assert (end.source, end.target) == (asked.target, asked.source)
        ends = [
            each
            for each in packets
            if (each.source, each.target) == (end.source, end.target) and each.flags & (FIN | RST)
        ]
        assert ends[0] is end


def test_every_connection_is_there_from_its_first_packet_on(cli, capturing):
    """Once: the copy that loopback sends is left out, or there were two of each SYN."""
    done = cli.run_alone("maxconn", "--clients", "8", "--link", "none", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stderr
    syns = [each for each in seen_in(cli.folder / "run.pcapng") if each.flags & (SYN | ACK) == SYN]
    assert len({(each.source, each.target) for each in syns}) == len(syns) == 8


def test_every_packet_is_the_labs_own(cli, capturing):
    done = cli.run_alone(*RACE, "--link", "none", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stderr
    packets = seen_in(cli.folder / "run.pcapng")
    (server,) = set.intersection(*({each.source, each.target} for each in packets))
    assert server[:4] == bytes([127, 0, 0, 1])


def test_run_writes_it_as_well(cli, capturing):
    done = cli.run_alone("run", "crash-read", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [each.comment for each in seen_in(cli.folder / "run.pcapng") if each.comment]
    assert any("crash (certain): " in comment for comment in said)
    assert any("this RST ended" in comment and "not_listening" in comment for comment in said)


def test_a_scenario_with_a_wire_shows_the_clients_packets(cli, capturing):
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun is missing, or not this user's to open")
    (cli.folder / "wire.toml").write_text(WIRED)
    done = cli.run_alone("run", "wire.toml", "--capture", "run.pcapng")
    if done.returncode == 3:
        pytest.skip(done.stdout)  # this system forbids a network of the run's own
    assert done.returncode == 0, done.stdout + done.stderr
    path = cli.folder / "run.pcapng"
    assert {frame.link_type for frame in frames_of(path)} == {RAW}
    packets = seen_in(path)
    said = [each for each in packets if each.comment]
    assert len(said) == 4
    # As the client sent it: the wire puts each packet back with its addresses exchanged.
    assert {(each.source[:4], each.target[:4]) for each in said} == {(NEAR, FAR)}
    assert [each.payload for each in packets].count(said[0].payload) == 2


def test_tls_hides_the_request_and_not_what_became_of_it(cli, capturing):
    pytest.importorskip("trustme")
    done = cli.run_alone(
        "keepalive",
        "--tls",
        "--requests",
        "3",
        "--interval",
        "20",
        "--link",
        "none",
        "--capture",
        "run.pcapng",
    )
    assert done.returncode == 0, done.stderr
    said = [each for each in seen_in(cli.folder / "run.pcapng") if each.comment]
    assert len(said) == 3
    assert all(each.payload.startswith(b"\x17\x03\x03") for each in said)  # application data, RFC 8446


# -- the kernel's own view ------------------------------------------------------------------------

COUNT = """
from econnlab.cli.main import run
from econnlab.errors import EnvironmentProblem
from econnlab.lab.namespace import enter
from econnlab.lab.counters import read_counters
try:
    enter({})
except EnvironmentProblem as problem:
    print("cannot:", problem.message)
else:
    code = run(sys.argv[1:])
    print("counted:", code, read_counters()["OutRsts"])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["maxconn", "--clients", "20", "--when-full", "reset", "--link", "none"],
        ["maxconn", "--clients", "20"],
        ["run", "busy-server"],
        ["run", "crash-unread"],
    ],
    ids=" ".join,
)
def test_the_kernel_counts_as_many_rsts_as_were_captured(cli, capturing, arguments):
    """All that is counted in a network of the test's own was sent there; none was missed, none seen twice."""
    if arguments[0] == "run" and os.geteuid():
        pytest.skip("what run starts would take another network yet: exec(2) drops the right to capture")
    words = warm.python(COUNT, *arguments, "--capture", str(cli.folder / "run.pcapng"))
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S * 2, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    if last[0] == "cannot:":
        pytest.skip(" ".join(last[1:]))
    assert last[:2] == ["counted:", "0"], done.stdout
    packets = seen_in(cli.folder / "run.pcapng")
    assert sum(bool(packet.flags & RST) for packet in packets) == int(last[2]) > 0


# -- without the right ----------------------------------------------------------------------------


class Nobody:
    """Runs the command line as a user without rights, in a folder of that user's."""

    #: Another user, without any group.
    OTHER = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--inh-caps=-all")
    #: Root that has lost its capabilities for good (capabilities(7)): where its files are for no other user.
    BARE = ("--bounding-set=-all", "--inh-caps=-all")

    def __init__(self, python, folder, drop=OTHER):
        self.python, self.folder, self.drop = python, folder, drop

    def run(self, *arguments):
        words = [self.python, "-m", "econnlab", *arguments]
        if not os.geteuid():
            words = ["setpriv", *self.drop, "--", "env", *words]  # by env: the exec after the one that drops
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "PYTHONPATH": f"{ROOT}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.run(
            words, capture_output=True, text=True, timeout=DEADLINE_S * 2, cwd=self.folder, env=environment
        )


@pytest.fixture
def nobody():
    """A user who may not capture: nobody, or the one who runs the tests."""
    # Where that user can go: pytest's own folders are for their owner alone.
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/econnlab-nobody-XXXXXX"], text=True).strip())
    try:
        if os.geteuid():
            yield Nobody(sys.executable, folder)
            return
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed, by which root becomes nobody")
        os.chown(folder, NOBODY, NOBODY)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
            user = Nobody(python, folder)
            if user.run("--version").returncode == 0:
                yield user
                return
        os.chown(folder, 0, 0)
        yield Nobody(sys.executable, folder, Nobody.BARE)
    finally:
        shutil.rmtree(folder)


def went_on_without(done, nobody):
    """The run says what to do, leaves no file, and is itself as it would have been."""
    if "tcpdump" not in done.stderr:
        return False
    assert done.stderr.splitlines()[-1].startswith("  sudo tcpdump ")
    assert not list(nobody.folder.iterdir())
    return True


def test_who_may_not_capture_gets_a_network_in_which_it_may(nobody):
    done = nobody.run("maxconn", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stderr
    if went_on_without(done, nobody):
        return  # this system forbids that as well, or this user is a root that may map no user
    if done.stderr:  # else this user may capture
        assert "has no right to (CAP_NET_RAW). The run uses a network namespace" in " ".join(
            done.stderr.split()
        )
    said = [each.comment for each in seen_in(nobody.folder / "run.pcapng")]
    assert any("over_capacity (certain)" in comment for comment in said)
    assert [path.name for path in nobody.folder.iterdir()] == ["run.pcapng"]


def test_run_takes_that_network_too(nobody):
    done = nobody.run("run", "crash-read", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stdout + done.stderr
    if went_on_without(done, nobody):
        return
    assert any("crash" in each.comment for each in seen_in(nobody.folder / "run.pcapng"))


def test_a_server_of_the_users_own_is_in_no_other_network_so_tcpdump_is_named(nobody, start_server):
    server = start_server()
    done = nobody.run("keepalive", "--url", server.url, "--requests", "1", "--capture", "run it.pcapng")
    assert done.returncode == 0, done.stderr
    assert "Success 1" in done.stdout
    if (nobody.folder / "run it.pcapng").exists():
        pytest.skip("this user may capture")
    line = done.stderr.splitlines()[-1]
    port = server.address[1]
    assert line == (f"  sudo tcpdump -i lo -U -w 'run it.pcapng' 'tcp port {port}'")
    assert not list(nobody.folder.iterdir())


# -- ends -----------------------------------------------------------------------------------------

LONG = ["keepalive", "--interval", "20", "--requests", "100000"]


def test_ctrl_c_keeps_what_was_captured(cli, capturing, monkeypatch):
    files = cli.folder / "files"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    process = cli.start(*LONG, "--capture", "run.pcapng")
    children = wait_until(lambda: _all(process.pid, 3), "server, link and capture")
    while "Success" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, err
    assert any(": ok, 200 in " in each.comment for each in seen_in(cli.folder / "run.pcapng"))
    assert not list(files.iterdir())
    assert sorted(path.name for path in cli.folder.iterdir()) == ["files", "run.pcapng"]
    wait_until(lambda: not any(map(is_running, children)), "every process to end")


@pytest.mark.parametrize("command", ["keepalive", "run"])
def test_a_sigkill_leaves_no_file_and_no_process(cli, capturing, monkeypatch, command):
    files = cli.folder / "files"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    words = LONG
    if command == "run":
        shown = cli.run(*LONG, "--show-scenario").stdout
        (files / "long.toml").write_text(shown)
        words = ["run", "files/long.toml"]
    process = cli.start(*words, "--capture", "run.pcapng")
    owner = process.pid
    if command == "run":
        (owner,) = wait_until(lambda: children_of(process.pid), "the worker")
    children = wait_until(lambda: _all(owner, 3), "server, link and capture")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=DEADLINE_S)
    wait_until(lambda: not any(map(is_running, [owner, *children])), "every process to end")
    kept = [] if command == "keepalive" else ["long.toml"]
    wait_until(lambda: [path.name for path in files.iterdir()] == kept, "every file to go")
    assert [path.name for path in cli.folder.iterdir()] == ["files"]


def _captures(pid):
    """It is the capture, and no longer the fork of its parent."""
    return b"econnlab.packets.live" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _all(pid, count):
    found = children_of(pid)
    return found if len(found) == count else None


def test_a_capture_that_dies_is_named_and_costs_nothing_else(cli, capturing):
    process = cli.start(*LONG, "--capture", "run.pcapng")
    children = wait_until(lambda: _all(process.pid, 3), "server, link and capture")
    (capture,) = wait_until(lambda: [pid for pid in children if _captures(pid)], "the capture to be itself")
    os.kill(capture, signal.SIGKILL)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 3
    assert "The lab's capture process was killed by SIGKILL" in err
    assert "Traceback" not in err
    wait_until(lambda: not any(map(is_running, children)), "every process to end")


def test_a_process_that_dies_before_it_is_all_there_is_named(monkeypatch):
    """Its reading thread tells, which begins before whoever starts it has it in hand."""
    failures = []
    topology = Topology(load("maxconn"), failures.append)

    def kill_first(thread):
        for pid in children_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):  # the one before it is gone already
                os.kill(pid, signal.SIGKILL)
        thread.start()
        thread.join(0.5)  # what it has to say is said by then, or waits

    with monkeypatch.context() as patched:
        patched.setattr(children, "start_thread", kill_first)
        topology.start()
    try:
        wait_until(lambda: failures, "the death to be told")
        assert "was killed by SIGKILL" in failures[0].message
    finally:
        topology.stop()


# -- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["maxconn", "--capture", "-"], 2, "does not go to stdout"),
        (["maxconn", "--capture", "x", "--csv", "./x"], 2, "is given for two outputs"),
        (["maxconn", "--capture", "none/x"], 3, "cannot be written: No such file"),
        (["run", "crash-read", "crash-unread", "--capture", "x"], 2, "are for one run"),
    ],
)
def test_what_cannot_be_captured_is_said_before_anything_runs(cli, arguments, code, said):
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.replace("\n", " ")
    assert not list(cli.folder.iterdir())


def test_a_full_disk_is_said_and_not_thrown(cli, capturing):
    done = cli.run_alone("maxconn", "--capture", "/dev/full")
    assert done.returncode == 3
    assert "could not be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_loopback_packets_begin_with_a_link_header(cli, capturing):
    assert cli.run_alone("maxconn", "--capture", "run.pcapng").returncode == 0
    assert {frame.link_type for frame in frames_of(cli.folder / "run.pcapng")} == {ETHERNET}

"""A subprocess.Popen for tests that makes the lab's Python processes clones of a template, which is faster.

See tests.support.template. It starts a process in the usual way if a clone would differ: see ``_is_ours`` and
``_order``. With ECONNLAB_COLD in the environment, and within ``cold()``, it starts every process.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.template import LIMITS, NAME, ROOM, can_clone

ROOT = str(Path(__file__).parent.parent.parent)
COLD = "ECONNLAB_COLD"
Started = subprocess.Popen
_PARAMETERS = list(inspect.signature(Started._execute_child).parameters)[1:]  # type: ignore[attr-defined]
#: What Popen must be given for a clone to do: the values that mean "as usual".
_USUAL = {
    "preexec_fn": None,
    "close_fds": True,
    "startupinfo": None,
    "shell": False,
    "restore_signals": True,
    "gid": None,
    "gids": None,
    "uid": None,
    "umask": -1,
    "process_group": -1,
}
_PIPES = ("p2cread", "c2pwrite", "errwrite")
#: What a process inherits and a clone cannot be given (proc(5), status).
_INHERITED = re.compile(
    r"^(?:Umask|[UG]id|Groups|NoNewPrivs|Seccomp|Cap\w+|Cpus_allowed|Mems_allowed):.*", re.MULTILINE
)
_SIGNALS = re.compile(r"^Sig(Blk|Ign):\s*(\w+)", re.MULTILINE)
_SPACES = ("user", "mnt", "pid", "ipc", "uts")
_NETWORK = "/proc/thread-self/ns/net"
#: Code that the lab gives to a Python of its own.
_LAB = re.compile(r"import sys; sys\.path\.append\(.*\); from econnlab\.")
#: Those that start no others. All others get a template of their own.
_LEAF = re.compile(r"from econnlab\.((\w+\.)*__main__|lab\.(warm_child|capturing)) import")


class Template:
    """The near end of a template: clones are children of this process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()
        self.owner = os.getpid()
        self.inherited = _inherited(_status())
        self.network = os.readlink(_NETWORK)
        self.language = _language(dict(os.environ))

    def clone(self, order: dict[str, Any], descriptors: list[int]) -> int:
        """The process id. Raises OSError as fork(2) does."""
        with self._lock:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
            pid = int(self._control.recv(64))
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid


def start_template(environment: dict[str, str]) -> Template:
    """Start one. It ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = (
        f"import sys; path = list(sys.path); sys.path.append({ROOT!r});"
        f"from tests.support.template import main; main({theirs.fileno()}, path)"
    )
    with theirs:
        words = [sys.executable, "-P", "-c", code, " " * ROOM]
        process = Started(words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment)
    process.returncode = 0  # it outlives this object: Popen would warn of that
    return Template(ours)


class Warm(Started):  # type: ignore[type-arg]
    """subprocess.Popen, with a faster way for the lab's own processes."""

    template: Callable[[], Template] | None = None

    def _execute_child(self, *given: Any) -> None:
        values = dict(zip(_PARAMETERS, given, strict=True))
        template = self.template() if self.template and _is_ours(values) else None
        order = _order(values, template) if template else None
        if template is None or order is None:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        standard = [number if values[pipe] == -1 else values[pipe] for number, pipe in enumerate(_PIPES)]
        with contextlib.ExitStack() as stack:
            network = [stack.enter_context(open(_NETWORK)).fileno()] if order["network"] else []
            self.pid = template.clone(order, [*network, *standard, *values["pass_fds"]])
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(values[end] for end in ends))  # type: ignore[attr-defined]


def install(template: Template) -> None:
    """Have every subprocess.Popen of this process use ``template``."""
    Warm.template = staticmethod(lambda: template)
    subprocess.Popen = Warm  # type: ignore[misc]


def install_lazily() -> None:
    """The same, with a template that starts when the first process is wanted."""
    if not can_clone() or os.environ.get(COLD):
        return
    environment, lock, started = dict(os.environ), threading.Lock(), []

    def template() -> Template:
        with lock:
            if not started:
                started.append(start_template(environment))
            return started[0]

    Warm.template = staticmethod(template)
    subprocess.Popen = Warm  # type: ignore[misc]


@contextlib.contextmanager
def cold() -> Iterator[None]:
    """Start every process for a while, as users' systems do."""
    before, subprocess.Popen = subprocess.Popen, Started  # type: ignore[misc]
    try:
        yield
    finally:
        subprocess.Popen = before  # type: ignore[misc]


def python(code: str, *arguments: str) -> list[str]:
    """The command line for ``code`` in a process of its own, which may be a clone."""
    begin = f"import sys; sys.path.append({ROOT!r}); from econnlab.errors import ExitCode\n"
    return [sys.executable, "-P", "-c", begin + code, *arguments]


def is_template(pid: int) -> bool:
    """Whether ``pid`` is a template: tests that count processes leave it out."""
    try:
        return Path(f"/proc/{pid}/comm").read_text() == f"{NAME}\n"
    except (FileNotFoundError, ProcessLookupError):
        return False


# -- whether a clone does -------------------------------------------------------------------------


def _is_ours(values: dict[str, Any]) -> bool:
    """Whether Popen was asked for ``python -m econnlab`` or for a process of the lab, in the usual manner."""
    words = values["args"]
    if (
        not isinstance(words, list)
        or words[0] != sys.executable
        or values["executable"] not in (None, words[0])
    ):
        return False
    if any(name in values and values[name] != usual for name, usual in _USUAL.items()):
        return False
    if words[1:3] == ["-m", "econnlab"]:  # the folder comes first on its sys.path
        here = Path(values["cwd"] or ".").iterdir()
        return not any(path.suffix == ".py" or (path / "__init__.py").exists() for path in here)
    return words[1:3] == ["-P", "-c"] and _LAB.match(words[3]) is not None


def _order(values: dict[str, Any], template: Template) -> dict[str, Any] | None:
    """What the template is to do; None if a clone would differ from a process that Python starts."""
    environment = dict(os.environ) if values["env"] is None else dict(values["env"])
    status = _status()
    if template.owner != os.getpid() or _inherited(status) != template.inherited:
        return None
    if _language(environment) != template.language or not os.path.isdir(values["cwd"] or "."):
        return None
    if any(
        values[pipe] == -1 and not _is_open(fd) for fd, pipe in enumerate(("p2cread", "c2pwrite", "errwrite"))
    ):
        return None
    signals = {name: _numbers(mask) for name, mask in _SIGNALS.findall(status)}
    restored = {signal.SIGPIPE, signal.SIGXFSZ}
    words = values["args"]
    return {
        "words": words,
        "numbers": [0, 1, 2, *values["pass_fds"]],
        "session": values["start_new_session"],
        "network": os.readlink(_NETWORK) != template.network,
        "cwd": os.path.abspath(values["cwd"] or "."),
        "environment": environment,
        "limits": [resource.getrlimit(limit) for limit in LIMITS],
        "ignored": sorted(set(signals["Ign"]) - restored),
        "blocked": signals["Blk"],
        "starts_others": words[1] == "-m" or _LEAF.search(words[3]) is None,
    }


def _status() -> str:
    return Path("/proc/thread-self/status").read_text()


def _inherited(status: str) -> tuple[Any, ...]:
    spaces = [os.readlink(f"/proc/thread-self/ns/{space}") for space in _SPACES]
    return *_INHERITED.findall(status), *spaces, os.sched_getscheduler(0), os.nice(0)


def _language(environment: dict[str, str]) -> dict[str, str]:
    """What Python reads at its start."""
    return {name: value for name, value in environment.items() if re.match(r"PYTHON|LC_|LANG", name)}


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _numbers(mask: str) -> list[int]:
    """The signals of a mask of proc(5)."""
    return [number for number in range(1, 65) if int(mask, 16) >> number - 1 & 1]

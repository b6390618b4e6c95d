"""Real processes and sockets for tests: each fixture ends what it began."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from econnlab.cli.main import run as run_command_line
from econnlab.lab.children import Child
from econnlab.lab.listeners import bind
from econnlab.link.settings import LinkSettings
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.places import Place
from econnlab.scenario.server import ServerSpec
from econnlab.scenario.treatment import Treatment
from econnlab.server.settings import ServerSettings
from econnlab.system.clock import now
from tests.support import warm

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

#: Long enough for any event on a machine with both cores busy; nothing waits it out when all is well.
DEADLINE_S = 15.0
#: A run of the lab that was late is repeated until it was not, so many times in all.
RUNS_TO_BE_PUNCTUAL = 3
LATE = "The lab itself was late on the way of"


def pytest_configure() -> None:
    """Take signals as in a terminal: a shell's background job, or nohup, hands them down ignored."""
    peers = Path(__file__).parent.parent / ".peers"
    if peers.is_dir():
        os.environ.setdefault("ECONNLAB_PEERS", str(peers))  # what `make peers` has installed
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)


#: The files that take longest, at the head of the suite: else the last workers wait for one of them.
LONGEST = """
    lab/test_worked_pages.py peers/test_originals.py lab/test_scenarios.py lab/test_pytest_plugin.py
    lab/test_cli_check.py lab/test_cli_remedies.py lab/test_probe.py lab/test_cli_endings.py
    lab/test_capture.py peers/test_captures.py peers/test_node.py unit/test_words.py
""".split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the others keep their order."""
    folder = Path(__file__).parent
    places = {str(folder / name): place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(str(item.path), len(places)))


warm.install_lazily()


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of ``condition``, looked at often; fails after DEADLINE_S."""
    deadline = now() + DEADLINE_S
    pause = threading.Event()
    while not (value := condition()):
        assert now() < deadline, f"waited {DEADLINE_S} s for {what}"
        pause.wait(0.005)
    return value


def until(moment: float) -> None:
    """Let the monotonic clock reach ``moment``: for tests of what happens at a time, not for events."""
    threading.Event().wait(max(0.0, moment - now()))


class Running:
    """A server or link process under test."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.address = ("127.0.0.1", child.port)
        self.url = f"http://127.0.0.1:{child.port}/"
        self._events: list[ConnectionEvent] = []

    def events(self, *kinds: str) -> list[ConnectionEvent]:
        """Its ledger up to now; of these kinds only, where some are given."""
        if self.child.alive:
            self.child.sync()
        self._events += self.child.take_events()
        return [event for event in self._events if not kinds or event.kind in kinds]

    def wait_for(self, *kinds: str, count: int = 1) -> list[ConnectionEvent]:
        """The ledger's events of ``kinds``, once there are ``count`` of them."""

        def enough() -> list[ConnectionEvent]:
            found = self.events(*kinds)
            return found if len(found) >= count else []

        return wait_until(enough, f"{count} of {kinds}")


@contextlib.contextmanager
def servers() -> Iterator[Callable[..., Running]]:
    """Start lab servers with these settings of their ServerSpec; they end with the context."""
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> Running:
            served = ServerSettings(spec=ServerSpec(**settings))
            child = Child("econnlab.server", bind("127.0.0.1", 0), served)
            stack.callback(child.stop)
            child.wait_until_listening()
            return Running(child)

        yield start


@pytest.fixture
def cold() -> Iterator[None]:
    """Start every process as users' systems do, for tests of the start itself: see tests.support.warm."""
    with warm.cold():
        yield


@pytest.fixture
def start_server() -> Iterator[Callable[..., Running]]:
    """Start a lab server with these settings of its ServerSpec."""
    with servers() as start:
        yield start


@pytest.fixture
def start_link() -> Iterator[Callable[..., Running]]:
    """Start a link of this spec in front of an address."""
    with contextlib.ExitStack() as stack:

        def start(spec: LinkSpec, upstream: tuple[str, int], seed: int = 1) -> Running:
            settings = LinkSettings(
                treatment=Treatment(spec), seed=seed, upstreams=(Place(*upstream),), traced=True
            )
            child = Child("econnlab.link", bind("127.0.0.1", 0), settings)
            stack.callback(child.stop)
            child.wait_until_listening()
            return Running(child)

        yield start


@pytest.fixture
def scripted() -> Iterator[Callable[[Callable[[socket.socket], None]], tuple[str, int]]]:
    """A server that treats each connection as a function of the test's says; its errors fail the test."""
    errors: list[BaseException] = []
    with contextlib.ExitStack() as stack:

        def start(treat: Callable[[socket.socket], None]) -> tuple[str, int]:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run(connection: socket.socket) -> None:
                try:
                    connection.settimeout(DEADLINE_S)
                    treat(connection)
                except BaseException as error:
                    errors.append(error)
                finally:
                    connection.close()

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        threading.Thread(target=run, args=(connection,), daemon=True).start()

            threading.Thread(target=accept, daemon=True).start()
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return listener.getsockname()

        yield start
    if errors:
        raise errors[0]


class Cli:
    """The command line, run to its end here, or started in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = contextlib.ExitStack()

    def run(self, *arguments: str, punctual: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it to its end in this process, which saves the time to start Python: the same door.

        A run says on stderr that the machine held the lab itself up (lab_late). It tells nothing then, and
        happens again, at most twice; not if ``punctual`` is False.
        """
        for _ in range(RUNS_TO_BE_PUNCTUAL):
            done = self._run_here(*arguments)
            if not punctual or LATE not in done.stderr:
                break
        return done

    def _run_here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_command_line(list(arguments))
        return subprocess.CompletedProcess(arguments, int(code), out.getvalue(), err.getvalue())

    def run_alone(self, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Run it to its end in a process of its own."""
        process = self.start(*arguments, **settings)
        out, err = process.communicate(timeout=DEADLINE_S * 2)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        """Start it; what is still running at the test's end is killed."""
        usual = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": self.folder,
            "text": True,
        }
        process = subprocess.Popen([sys.executable, "-m", "econnlab", *arguments], **{**usual, **settings})
        self._stack.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.communicate()

    def close(self) -> None:
        """Kill what is left."""
        self._stack.close()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """The command line, in an empty folder."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    cli = Cli(tmp_path)
    yield cli
    cli.close()


def children_of(pid: int, templates: bool = False) -> list[int]:
    """The processes that ``pid`` has started and not yet reaped, but for templates (Linux)."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return [pid for pid in found if templates or not warm.is_template(pid)]


def is_running(pid: int) -> bool:
    """There is a process ``pid``, and it is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """With ECONNLAB_NO_SKIPS set, as in .ci/run, a skip is a failure."""
    report = yield
    if report.skipped and os.environ.get("ECONNLAB_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where skips are forbidden: {report.longrepr}"
    return report

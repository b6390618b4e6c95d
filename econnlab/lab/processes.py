"""The lab's processes: each has one owner, and ends with it."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import econnlab
from econnlab.errors import EnvironmentProblem, ProcessDied
from econnlab.lab.limits import start_thread
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.system.clock import now

#: A child that is told to stop gets this long before it is killed.
STOP_S = 2.0
#: A child answers within this, or something is wrong: even starting Python takes a tenth of it.
ANSWER_S = 20.0

#: The folder that econnlab is in.
#: How often it is looked whether to stop, while nothing happens.
TICK_S = 0.2
ROOT = str(Path(econnlab.__file__).parent.parent)


class Listener(Protocol):
    """What a child takes over: a bound socket, or something else with a descriptor and a port."""

    def fileno(self) -> int:
        """The descriptor."""

    def getsockname(self) -> Any:
        """An address; its second part is the port."""

    def close(self) -> None:
        """Close it here."""


class Process(Protocol):
    """A process as subprocess.Popen shows it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """The pipe to its stdin."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """The pipe from its stdout."""

    @property
    def returncode(self) -> int | None:
        """Its exit code once ``wait`` has seen its end; minus the signal that killed it."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """Send SIGKILL, if it still runs."""


#: Starts ``main`` of the module of this name, with its stderr and more descriptors, under their numbers.
#: Raises OSError where the system refuses.
Starter = Callable[[str, IO[bytes], Sequence[int]], Process]


def start_python(module: str, errors: IO[bytes], descriptors: Sequence[int]) -> Process:
    """A Starter: an interpreter of its own, which takes its time to begin (a tenth of a second)."""
    # -P and append: a file of the user's folder must not pass for a module of Python's.
    code = f"import sys; sys.path.append({ROOT!r}); from {module}.__main__ import main; main()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
    )


class Child:
    """A process of the lab that listens on ``listener``, which it takes over, and writes a ledger.

    It inherits the descriptors ``beside`` as well, which stay open here.
    """

    def __init__(
        self,
        module: str,
        listener: Listener,
        settings: dict[str, Any],
        on_death: Callable[[], None],
        *,
        name: str | None = None,
        beside: Sequence[int] = (),
        start: Starter = start_python,
    ) -> None:
        self.name = name or module.rpartition(".")[2]
        self.port: int = listener.getsockname()[1]
        self._on_death = on_death
        self._stopping = False
        #: It was told to end by itself, in good order.
        self.retiring = False
        self._ended = False
        self._arrived = threading.Condition()
        self._chunks: list[bytes] = []
        self._unfinished_line = b""
        self._events: list[ConnectionEvent] = []
        self._syncs = itertools.count(1)
        self._synced: set[str] = set()
        self._listening = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        try:
            self._process = start(module, self._errors, [listener.fileno(), *beside])
        except OSError as error:  # fork(2): EAGAIN, ENOMEM
            listener.close()
            self._errors.close()
            raise EnvironmentProblem(
                f"The lab's {self.name} process cannot be started: {error.strerror}.",
                "Raise the limit of processes (ulimit -u), or free some memory."
                if error.errno in (errno.EAGAIN, errno.ENOMEM)
                else f"Look whether this user may run {sys.executable}.",
            ) from error
        except BaseException:
            listener.close()
            self._errors.close()
            raise
        self._command({**settings, "listener_fd": listener.fileno()})
        listener.close()  # else the port would stay open when the process has died
        self._reader = threading.Thread(target=self._read, name=f"econnlab-{self.name}", daemon=True)
        try:
            start_thread(self._reader)
        except EnvironmentProblem:
            self._process.kill()
            self._process.wait()
            self._close()
            raise

    @property
    def alive(self) -> bool:
        """It has not closed its ledger."""
        return not self._ended

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    # -- what it says -----------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        while chunk := os.read(fd, 1 << 20):
            with self._arrived:
                self._chunks.append(chunk)
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()
        if self._stopping:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        if not (self.retiring and self._process.returncode == 0):
            self._on_death()

    def take_events(self) -> list[ConnectionEvent]:
        """The ledger's events since the last call. Parsing waits until here, away from what is measured."""
        with self._arrived:
            self._parse()
            events, self._events = self._events, []
        return events

    def wait_for_events(self, timeout: float) -> list[ConnectionEvent]:
        """What ``take_events`` gives, after waiting at most ``timeout`` seconds for the first of them."""
        self.wait_for_news(timeout)
        return self.take_events()

    def wait_for_news(self, timeout: float) -> None:
        """Wait until it says something or ends, ``wake`` is called, or ``timeout`` seconds have passed."""
        with self._arrived:
            if not self._chunks and not self._ended:
                self._arrived.wait(timeout)

    def wake(self) -> None:
        """Let whoever waits for news look around."""
        with self._arrived:
            self._arrived.notify_all()

    def _parse(self) -> None:
        data = self._unfinished_line + b"".join(self._chunks)
        self._chunks.clear()
        *lines, self._unfinished_line = data.split(b"\n")
        new = [ConnectionEvent.from_json(json.loads(line)) for line in lines]
        self._listening = self._listening or any(event.kind == Kind.LISTENING for event in new)
        self._synced.update(event.reason or "" for event in new if event.kind == Kind.SYNC)
        self._events.extend(new)

    def wait_until_listening(self) -> None:
        """Raises ProcessDied if it ends, or says nothing for ANSWER_S."""
        self._wait_for(lambda: self._listening)

    def sync(self) -> None:
        """Wait until all that has happened up to now is among the events."""
        number = str(next(self._syncs))
        self._command({"sync": number})
        self._wait_for(lambda: number in self._synced)

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        """Another thread may take the events meanwhile: what they said of this is kept apart."""
        deadline = now() + ANSWER_S
        with self._arrived:
            while True:
                self._parse()
                if happened():
                    return
                if self._ended or not self._arrived.wait(deadline - now()):
                    raise self.death()

    # -- its end ----------------------------------------------------------------------------------

    @property
    def how_it_ended(self) -> str | None:
        """The name of the signal that killed it; None for any other end."""
        code = self._process.returncode
        return signal.Signals(-code).name if code is not None and code < 0 else None

    def death(self) -> ProcessDied:
        """Why it ended, as an error to raise."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        code = self._process.returncode
        how = (
            "does not answer"
            if code is None
            else f"was killed by {self.how_it_ended}"
            if code < 0
            else f"ended with code {code}"
        )
        return ProcessDied(
            f"The lab's {self.name} process {how} in the middle of the run.",
            f"It said: {said[-1]}"
            if said
            else "It said nothing. If the system is short of memory, dmesg tells.",
        )

    def tell(self, command: dict[str, Any]) -> None:
        """Send it a command of its own kind; to nobody, where it has died."""
        self._command(command)

    def _command(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died: the reader tells
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()

    def listen(self) -> None:
        """Let a server that was started with ``standby`` begin."""
        self._command({"listen": True})

    def retire(self, restart: dict[str, Any]) -> None:
        """Let a server whose place is taken end in the manner of ``restart``."""
        self.retiring = True
        self._command({"retire": restart})

    def tell_to_stop(self) -> None:
        """Close its commands: it ends by itself, and ``stop`` waits for that."""
        self._stopping = True
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def stop(self) -> None:
        """See it end, and kill it if it does not; what it said until then can still be taken."""
        self.tell_to_stop()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_S)
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

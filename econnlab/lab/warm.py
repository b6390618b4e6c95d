"""A Python process started once, with the server and the link loaded: the lab's processes are forks of it.

Starting an interpreter and importing takes a tenth of a second, a fork some milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Any

from econnlab.errors import EnvironmentProblem
from econnlab.lab.processes import ANSWER_S, ROOT, STOP_S

_ANSWER = 4096
_UNKNOWN = 255


class Warm:
    """A Starter, for ``Stage``. A context manager: after it the warm process does not live.

    Its forks live on until they are told to stop, or nobody who could tell them is left. May be called by
    several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._control, theirs = socket.socketpair()
        code = f"import sys; sys.path.append({ROOT!r}); from econnlab.lab.warm_process import main; main()"
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
                )
            except OSError as error:
                self._control.close()
                self._errors.close()
                raise EnvironmentProblem(
                    f"The lab's warm process cannot be started: {error.strerror}.",
                    f"Look whether this user may run {sys.executable}, and how many processes (ulimit -u).",
                ) from error
        self._control.settimeout(ANSWER_S)

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """See it end."""
        with self._lock:
            self._control.close()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._errors.close()

    @property
    def alive(self) -> bool:
        """It can be asked for more."""
        return self._control.fileno() >= 0 and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    # -- forks ------------------------------------------------------------------------------------

    def __call__(self, module: str, errors: IO[bytes], descriptors: Sequence[int]) -> Fork:
        """Run ``main`` of ``module`` in a fork. Raises OSError where the system refuses one."""
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            commands, to_it = _pipe(theirs, ours)
            from_it, ledger = _pipe(ours, theirs)
            status, report = _pipe(ours, theirs)
            order = {"module": module, "numbers": list(descriptors)}
            answer = self._ask(order, [commands, ledger, errors.fileno(), report, *descriptors])
            if "errno" in answer:
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
            ours.pop_all()
            return Fork(answer["pid"], to_it, from_it, status, self._kill)

    def _ask(self, order: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """What it answers. Raises EnvironmentProblem where it is gone."""
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], descriptors)
                answer = b""
                while not answer.endswith(b"\n"):
                    chunk = self._control.recv(_ANSWER)
                    if not chunk:
                        raise EOFError
                    answer += chunk
            except (OSError, EOFError) as error:
                self._control.close()
                raise self._gone() from error
            except BaseException:  # Ctrl-C: the answer that still comes would pass for the next one's
                self._control.close()
                raise
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    def _gone(self) -> EnvironmentProblem:
        said = ["nothing"]
        if not self._errors.closed:
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", "replace").strip().splitlines() or said
        return EnvironmentProblem(
            "The lab's warm process does not answer.", f"The last that it said: {said[-1]}."
        )

    def _kill(self, pid: int) -> None:
        """It alone knows whether ``pid`` is still its fork, for it is the one who reaps it."""
        try:
            self._ask({"kill": pid})
        except EnvironmentProblem:  # and where it is gone, nobody does
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Fork:
    """A process as subprocess.Popen shows it: the warm one is its parent, and reports its end."""

    def __init__(self, pid: int, to_it: int, from_it: int, status: int, kill: Callable[[int], None]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = os.fdopen(to_it, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(from_it, "rb", buffering=0)
        self.returncode: int | None = None
        self._status = status
        self._kill = kill
        self._lock = threading.Lock()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, minus the signal that killed it. Raises subprocess.TimeoutExpired."""
        with self._lock:
            if self.returncode is None:
                poller = select.poll()
                poller.register(self._status, select.POLLIN)
                if not poller.poll(None if timeout is None else timeout * 1000):
                    raise subprocess.TimeoutExpired("fork", timeout or 0.0)
                said = os.read(self._status, 64)
                # The fork holds the pipe as well: unsaid, it ends when both it and the warm one have.
                os.close(self._status)
                self.returncode = code = int(said) if said else _UNKNOWN
                return code
            return self.returncode

    def kill(self) -> None:
        """Send SIGKILL, if it still runs."""
        self._kill(self.pid)


def _pipe(reading: contextlib.ExitStack, writing: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these stacks."""
    read, write = os.pipe()
    reading.callback(os.close, read)
    writing.callback(os.close, write)
    return read, write

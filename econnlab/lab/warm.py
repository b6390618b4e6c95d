"""Starts the lab's processes as forks of one that has imported what they need.

An interpreter with its imports takes a tenth of a second to start, a fork some milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from econnlab.errors import EnvironmentProblem
from econnlab.system.process import Process, start_python

#: Seconds within which a healthy warm process answers.
ANSWER_S = 20.0
_UNKNOWN = 255


class Warm:
    """A Starter. A context manager: it starts the warm process when first called, and ends it.

    A new one takes its place if it was killed. Forks live on until they are told to stop. Several threads
    may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _WarmProcess | None = None
        self._owner = 0

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, module: str, errors: IO[bytes], descriptors: Sequence[int]) -> Fork:
        """Run ``main`` of ``module`` in a fork. Raises OSError, EnvironmentProblem."""
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.ended():
                self._close()
                self._process, self._owner = _WarmProcess(), os.getpid()
            process = self._process
        return process.fork(module, errors, descriptors)

    def close(self) -> None:
        """End the warm process."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        # In a fork of the process that started it (pytest-forked), it belongs to another.
        if self._process is not None and self._owner == os.getpid():
            self._process.close()
        self._process = None


class _WarmProcess(Process):
    """Talks to econnlab.lab.warm_child over a socket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                super().__init__(
                    "The lab's warm process",
                    lambda errors: start_python("econnlab.lab.warm_child", errors, stdin=theirs.fileno()),
                )
            except BaseException:
                self._control.close()
                raise

    def close(self) -> None:
        self._control.close()
        self.stop()
        super().close()

    def fork(self, module: str, errors: IO[bytes], descriptors: Sequence[int]) -> Fork:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            commands, to_it = _pipe(theirs, ours)
            from_it, ledger = _pipe(ours, theirs)
            alive, held = _pipe(ours, theirs)
            order = {"module": module, "numbers": list(descriptors)}
            answer = self._ask(order, [commands, ledger, errors.fileno(), held, *descriptors])
            if "errno" in answer:
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
            ours.pop_all()
            return Fork(answer["pid"], to_it, from_it, alive, self._reap)

    def _reap(self, pid: int) -> int:
        try:
            code: int = self._ask({"reap": pid})["code"]
        except EnvironmentProblem:
            return _UNKNOWN
        return code

    def _ask(self, order: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Its answer. Raises EnvironmentProblem if it is gone."""
        with self._lock:
            try:
                self._control.settimeout(ANSWER_S)
                socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], descriptors)
                answer = b""
                while not answer.endswith(b"\n"):
                    chunk = self._control.recv(4096)
                    if not chunk:
                        raise EOFError
                    answer += chunk
            except (OSError, EOFError) as error:
                self._control.close()
                raise EnvironmentProblem(
                    "The lab's warm process does not answer.", f"It said: {self.last_words() or 'nothing'}"
                ) from error
            except BaseException:  # Ctrl-C: the next caller would read the answer to this order
                self._control.close()
                raise
        decoded: dict[str, Any] = json.loads(answer)
        return decoded


class Fork:
    """As subprocess.Popen: the warm process is its parent, and reaps it when ``wait`` asks."""

    def __init__(self, pid: int, to_it: int, from_it: int, alive: int, reap: Callable[[int], int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = os.fdopen(to_it, "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(from_it, "rb", buffering=0)
        self.returncode: int | Any = None
        #: Only the fork holds the other end.
        self._alive = alive
        self._reap = reap
        self._lock = threading.Lock()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or minus the signal that killed it. Raises subprocess.TimeoutExpired."""
        with self._lock:
            if self.returncode is None:
                if not self._ends(timeout):
                    raise subprocess.TimeoutExpired("fork", timeout or 0.0)
                os.close(self._alive)
                self.returncode = self._reap(self.pid)
            return self.returncode

    def kill(self) -> None:
        """Send SIGKILL if it still runs."""
        with self._lock:
            if self.returncode is None and not self._ends(0):  # so that the pid is still its own
                os.kill(self.pid, signal.SIGKILL)

    def _ends(self, timeout: float | None) -> bool:
        poller = select.poll()
        poller.register(self._alive, select.POLLIN)
        return bool(poller.poll(None if timeout is None else timeout * 1000))


def _pipe(reading: contextlib.ExitStack, writing: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe; each stack closes one end."""
    read, write = os.pipe()
    reading.callback(os.close, read)
    writing.callback(os.close, write)
    return read, write

"""Runs of a command of the user's: bounded in time and in output, and ended whole."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from econnlab.commands.check.ended import KEPT_BYTES, CommandEnd
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.system.clock import now

_KEEPER = str(Path(__file__).with_name("keeper.py"))
#: A keeper that was told to end everything is done within this.
_ENDED_S = 10.0


def ensure_command(words: Sequence[str]) -> None:
    """Raises UsageProblem where the first of ``words`` is no program that could be started."""
    name = words[0]
    if shutil.which(name) is not None:
        return
    if "/" not in name:
        raise UsageProblem(
            f"There is no command {name!r}.",
            f"Write ./{name}, or the program that runs it first."
            if Path(name).exists()
            else "Check its spelling and the PATH; for a shell's own words write sh -c '...'.",
        )
    path = Path(name)
    if not path.exists():
        raise UsageProblem(f"There is no command {name!r}: no such file.", "Check the path.")
    raise UsageProblem(
        f"The command {name!r} cannot be started: it is {'a folder' if path.is_dir() else 'not executable'}.",
        "Name the program in it."
        if path.is_dir()
        else f"Run chmod +x {name}, or name its interpreter first.",
    )


class Commands:
    """Runs commands, also side by side in threads. ``interrupt`` ends all of them, and lets no more begin."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.interrupted = False

    def interrupt(self) -> None:
        """May be called from a signal handler."""
        self.interrupted = True
        for keeper in list(self._running):
            _let_end(keeper)

    def run(self, words: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> CommandEnd:
        """Run ``words`` to their end, or kill them and all they started after ``timeout_s``.

        Raises UsageProblem or EnvironmentProblem where they cannot be started.
        """
        output, into = os.pipe()
        try:
            keeper = self._start(words, environment, into)
        except OSError as error:  # fork(2): EAGAIN, ENOMEM; execve(2): E2BIG
            os.close(output)
            raise EnvironmentProblem(
                f"The command cannot be started: {error.strerror}.", "Run fewer at a time (--jobs)."
            ) from error
        finally:
            os.close(into)
        try:
            if self.interrupted:
                _let_end(keeper)
            with _Following(keeper, output) as following:
                following.follow(timeout_s)
                return following.end(words)
        finally:
            with self._lock:
                self._running.discard(keeper)

    def _start(
        self, words: Sequence[str], environment: Mapping[str, str], into: int
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", _KEEPER, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=into,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            )
            self._running.add(keeper)
            return keeper


def _let_end(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        keeper.stdin.close()


class _Following:
    """What a keeper tells and the command says, read as it comes so that neither ever waits."""

    def __init__(self, keeper: subprocess.Popen[bytes], output: int) -> None:
        assert keeper.stdout is not None
        self._keeper = keeper
        self._told_fd = keeper.stdout.fileno()
        self._output_fd = output
        self._told = b""
        self._output = bytearray()
        self._output_bytes = 0
        self._timed_out = False
        self._began = now()
        self._took_s: float | None = None
        os.set_blocking(output, False)

    def __enter__(self) -> _Following:
        return self

    def __exit__(self, *_: object) -> None:
        _let_end(self._keeper)
        try:
            self._keeper.wait(_ENDED_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()
        os.close(self._output_fd)

    def follow(self, timeout_s: float) -> None:
        """Until the keeper has ended; after ``timeout_s`` that is asked of it."""
        deadline = self._began + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._told_fd, selectors.EVENT_READ)
            selector.register(self._output_fd, selectors.EVENT_READ)
            while True:
                over = now() >= deadline
                if over and self._took_s is None and not self._timed_out:
                    self._timed_out = True
                    self._took_s = now() - self._began
                    _let_end(self._keeper)
                if over and now() > deadline + _ENDED_S:
                    return
                for key, _ in selector.select(_ENDED_S if over else max(0.0, deadline - now())):
                    if key.fd == self._told_fd:
                        if not self._hear():
                            self._drain()
                            return
                    elif not self._read():
                        selector.unregister(self._output_fd)

    def _hear(self) -> bool:
        said = os.read(self._told_fd, 4096)
        self._told += said
        if self._took_s is None and b"\n" in self._told:
            self._took_s = now() - self._began
        return bool(said)

    def _read(self) -> bool:
        """Whether more may come."""
        try:
            data = os.read(self._output_fd, KEPT_BYTES)
        except BlockingIOError:
            return True
        self._output_bytes += len(data)
        self._output += data
        del self._output[:-KEPT_BYTES]
        return bool(data)

    def _drain(self) -> None:
        """What is still in the pipe; where something holds it open that could not be ended, not more."""
        before = -1
        while before != self._output_bytes and self._output_bytes - before < (1 << 20):
            before = self._output_bytes
            self._read()

    def end(self, words: Sequence[str]) -> CommandEnd:
        """How it ended. Raises UsageProblem or EnvironmentProblem where it never began."""
        told = dict(line.split(" ", 1) for line in self._told.decode("ascii", "replace").splitlines())
        if "cannot" in told:
            raise _cannot_start(words[0], int(told["cannot"]))
        number = told.get("signal")
        if not self._timed_out and number is None and "exit" not in told:
            raise EnvironmentProblem(
                "The process that keeps the command has ended.", "If memory is short, dmesg tells."
            )
        return CommandEnd(
            code=None if self._timed_out or number else int(told["exit"]),
            signal=None if self._timed_out or number is None else _name(int(number)),
            timed_out=self._timed_out,
            took_s=now() - self._began if self._took_s is None else self._took_s,
            output=self._output.decode("utf-8", "replace"),
            output_bytes=self._output_bytes,
            left_behind=0 if self._timed_out else int(told.get("left", 0)),
        )


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _cannot_start(name: str, number: int) -> UsageProblem:
    if number == errno.ENOEXEC:
        return UsageProblem(
            f"The command {name!r} cannot be started: it is no program, and has no #! line.",
            f"Name its interpreter first, as sh {name}.",
        )
    if number == errno.ENOENT:
        return UsageProblem(
            f"The command {name!r} cannot be started: what its #! line names does not exist.",
            "Name its interpreter first.",
        )
    return UsageProblem(f"The command {name!r} cannot be started: {os.strerror(number)}.")

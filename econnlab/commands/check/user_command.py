"""Runs the user's command: bounded in time and in output, and ended with all its descendants."""

from __future__ import annotations

import errno
import os
import selectors
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from econnlab.commands.check.command_end import KEPT_BYTES, CommandEnd
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.system.clock import now
from econnlab.system.kept import ENDED_S, KeptProgram
from econnlab.system.process import signal_name

#: After SIGTERM the command has this many seconds.
_TERM_S = 0.3


def ensure_command(words: Sequence[str]) -> None:
    """Raises UsageProblem if the first of ``words`` is not a program that can be started."""
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


class UserCommands:
    """Runs commands, also side by side in threads. ``interrupt`` ends all of them, and no more begin."""

    def __init__(self) -> None:
        self._running: set[KeptProgram] = set()
        self._lock = threading.Lock()
        self.interrupted = False

    def interrupt(self) -> None:
        """A signal handler may call this."""
        self.interrupted = True
        for kept in list(self._running):
            kept.tell_to_end()

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        timeout_s: float,
        started: Callable[[int], None] = lambda group: None,
    ) -> CommandEnd:
        """Run ``words`` to their end, or kill them and all they started after ``timeout_s``.

        ``started`` gets their process group. Raises UsageProblem or EnvironmentProblem if they cannot be
        started.
        """
        output, into = os.pipe()
        try:
            kept = KeptProgram("The command", words, stderr=into, environment=environment, term_s=_TERM_S)
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(into)
        with self._lock:
            self._running.add(kept)
        try:
            if self.interrupted:
                kept.tell_to_end()
            followed = _Followed(kept, output)
            if (group := kept.program()) is not None:
                started(group)
            followed.follow(timeout_s)
            return followed.end(words)
        finally:
            with self._lock:
                self._running.discard(kept)
            kept.stop()
            kept.close()
            os.close(output)


class _Followed:
    """Reads what the keeper reports and the command writes as it comes, so that neither waits."""

    def __init__(self, kept: KeptProgram, output: int) -> None:
        self._kept = kept
        self._output_fd = output
        self._output = bytearray()
        self._output_bytes = 0
        self._timed_out = False
        self._began = now()
        self._took_s: float | None = None
        os.set_blocking(output, False)

    def follow(self, timeout_s: float) -> None:
        """Return when the keeper has ended; tell it to end after ``timeout_s``."""
        deadline = self._began + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._kept.report_fd, selectors.EVENT_READ, self._hear)
            selector.register(self._output_fd, selectors.EVENT_READ, self._read)
            while self._kept.report_fd in selector.get_map():
                if now() >= deadline:
                    if self._timed_out or self._took_s is not None:
                        return  # the keeper is stuck
                    self._timed_out, self._took_s = True, timeout_s
                    self._kept.tell_to_end()
                    deadline = now() + ENDED_S
                for key, _ in selector.select(max(0.0, deadline - now())):
                    if not key.data():
                        selector.unregister(key.fileobj)
        self._drain()

    def _hear(self) -> bool:
        goes_on = self._kept.hear()
        if self._took_s is None and self._kept.report.keys() - {"started"}:
            self._took_s = now() - self._began
        return goes_on

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
        # What is still in the pipe, but no more than that: something may hold it open that cannot be ended.
        before = -1
        while before != self._output_bytes and self._output_bytes - before < (1 << 20):
            before = self._output_bytes
            self._read()

    def end(self, words: Sequence[str]) -> CommandEnd:
        """How it ended. Raises UsageProblem or EnvironmentProblem if it never began."""
        report = self._kept.report
        if "cannot" in report:
            raise _cannot_start(words[0], report["cannot"])
        number = report.get("signal")
        if not self._timed_out and number is None and "exit" not in report:
            raise EnvironmentProblem(
                "The process that keeps the command has ended.", "If memory is short, dmesg says so."
            )
        return CommandEnd(
            code=None if self._timed_out else report.get("exit"),
            signal=None if self._timed_out or number is None else signal_name(number),
            timed_out=self._timed_out,
            took_s=now() - self._began if self._took_s is None else self._took_s,
            output=self._output.decode("utf-8", "replace"),
            output_bytes=self._output_bytes,
            left_behind=0 if self._timed_out else report.get("left", 0),
        )


def _cannot_start(name: str, number: int) -> UsageProblem:
    if number == errno.ENOEXEC:
        return UsageProblem(
            f"The command {name!r} cannot be started: it is not a program, and has no #! line.",
            f"Name its interpreter first, as sh {name}.",
        )
    if number == errno.ENOENT:
        return UsageProblem(
            f"The command {name!r} cannot be started: what its #! line names does not exist.",
            "Name its interpreter first.",
        )
    return UsageProblem(f"The command {name!r} cannot be started: {os.strerror(number)}.")

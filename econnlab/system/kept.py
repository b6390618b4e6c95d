"""A program that is not ours, under a keeper that ends it and all its descendants when we are gone."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from econnlab.system.process import Process, start

_KEEPER = str(Path(__file__).with_name("keeper.py"))
#: A keeper that was told to end everything is done within this many seconds.
ENDED_S = 10.0
_NOTHING = -1
_STDERR = 2


class KeptProgram(Process):
    """Runs ``words``. ``running`` is the keeper: its stdin keeps the program alive, its stdout reports.

    ``stdin`` and ``stdout`` are descriptors for the program; by default it reads nothing, and writes where
    its stderr goes. ``stderr`` is a descriptor; by default the output is kept, and ``said`` returns its end.
    ``term_s``: how many seconds pass between SIGTERM and SIGKILL. The keeper removes ``folder`` at the end.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        *,
        stdin: int = _NOTHING,
        stdout: int = _STDERR,
        stderr: int | None = None,
        environment: Mapping[str, str] | None = None,
        term_s: float = 2.0,
        folder: str = "",
    ) -> None:
        keeper = [sys.executable, "-I", "-S", _KEEPER, str(stdin), str(stdout), str(term_s), folder, *words]
        handed = [fd for fd in (stdin, stdout) if fd > _STDERR]
        super().__init__(
            name,
            lambda errors: start(
                keeper, errors if stderr is None else stderr, handed, environment=environment
            ),
        )
        self._report = b""

    @property
    def report_fd(self) -> int:
        """Readable when the keeper has something to report; see econnlab.system.keeper."""
        assert self.running.stdout is not None
        return self.running.stdout.fileno()

    def hear(self) -> bool:
        """Read what the keeper reports. False at the end of it."""
        came = os.read(self.report_fd, 4096)
        self._report += came
        return bool(came)

    @property
    def report(self) -> dict[str, int]:
        """What has been heard, by its first word."""
        lines = (line.split(" ", 1) for line in self._report.decode().splitlines(keepends=True))
        return {word: int(number) for word, number in lines if number.endswith("\n")}

    def program(self) -> int | None:
        """The program's process group, as soon as it has started; None if it could not be started."""
        while not self.report and self.hear():
            pass
        return self.report.get("started")

    def stop(self, patience_s: float | None = None) -> None:
        """End the program, its descendants and the keeper."""
        super().stop(ENDED_S if patience_s is None else patience_s)
        assert self.running.stdout is not None
        while not self.running.stdout.closed and self.hear():
            pass
        program = self.report.get("started")
        if self.running.returncode and program is not None:  # the keeper itself was killed
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program, signal.SIGKILL)

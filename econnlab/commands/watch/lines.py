"""Without a terminal: each failure as it is found, and totals now and then, as plain lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from econnlab.cli import diagnosis as shared
from econnlab.cli.console import LabConsole
from econnlab.cli.live import Finding
from econnlab.commands.watch.page import State, totals

#: Failures that are printed at a time; more are only counted.
_MOST = 20


class Lines:
    """Prints to ``out``: each failure if ``each`` is set, and totals every ``every_s``."""

    #: The user has asked to end, which only a terminal allows.
    ended = False

    def __init__(self, out: LabConsole, every_s: float, *, each: bool) -> None:
        self._out = out
        self._every_s = every_s
        self._due = time.monotonic() + every_s
        self._number = 0
        self._each = each

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def update(self, state: State) -> None:
        """Print what is new."""
        if self._each:
            self._say(state.found)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._every_s
            self._out.text(f"{shared.clock(time.time())}  {totals(state)}")
        self._out.file.flush()

    def _say(self, found: Sequence[Finding]) -> None:
        for finding in found[:_MOST]:
            self._number += 1
            self._out.text(shared.failure(finding, self._number))
        left = len(found) - _MOST
        if left > 0:
            self._number += left
            self._out.text(f"and {left:,} more failures")

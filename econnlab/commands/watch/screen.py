"""The screen of ``watch``: servers, causes, the last failures, and the ladder of one on a key."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from econnlab.cli import diagnosis as shared
from econnlab.cli.console import LabConsole
from econnlab.cli.live import Finding
from econnlab.cli.live import Live as LivePackets
from econnlab.commands.watch.page import State, remarks, totals

#: The screen is drawn at most this often: drawing takes time from the capture.
_DRAWN_EVERY_S = 1.0
#: Failures that a digit shows.
_MOST = 9
_QUIT, _BACK = ("q", "Q"), ("\x1b", " ", "0")


class Screen:
    """Draws on ``out``, a terminal; ladders come from ``packets``."""

    def __init__(self, out: LabConsole, packets: LivePackets) -> None:
        self.ended = False
        self._out = out
        self._packets = packets
        self._live = Live(console=out, auto_refresh=False, screen=True, vertical_overflow="crop")
        self._last: list[Finding] = []
        self._chosen: Finding | None = None
        self._due = 0.0
        self._before: list[object] = []

    def __enter__(self) -> Screen:
        self._before = termios.tcgetattr(sys.stdin.fileno())
        tty.setcbreak(sys.stdin.fileno())
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)  # type: ignore[arg-type]

    def update(self, state: State) -> None:
        """Take keys, and draw what is known now."""
        self._last = [*reversed(state.found), *self._last][:_MOST]
        typed = self._keys()
        if typed or time.monotonic() >= self._due:
            self._due = time.monotonic() + _DRAWN_EVERY_S
            self._live.update(Group(*self._rows(state)), refresh=True)

    def _keys(self) -> bool:
        """Obey the keys that were pressed. False if there were none."""
        typed = False
        while select.select([sys.stdin], [], [], 0)[0]:
            pressed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
            if not pressed:
                break
            typed = True
            for key in pressed:
                self._press(key)
        return typed

    def _press(self, key: str) -> None:
        if key in _QUIT:
            self.ended = True
        elif key in _BACK:
            self._chosen = None
        elif key.isdigit() and int(key) <= len(self._last):
            self._chosen = self._last[int(key) - 1]

    def _rows(self, state: State) -> Iterator[RenderableType]:
        if self._chosen is not None:
            yield Text("Esc: back   q: end\n", "dim")
            yield from self._packets.ladder(self._chosen, 1)
            return
        found = state.diagnosis
        # A long ladder or list is cut off at the bottom: the keys stand above it.
        yield Text("1-9: packets of a failure   q: end", "dim")
        yield Text(f"econnlab watch, {state.where}, {state.passed_s:.0f} s", "bold")
        yield Text(totals(state))
        for remark in remarks(state):
            yield Text(remark, "red")
        yield Text()
        yield shared.summary(found, self._out)
        yield Text("\nThe last failures" if self._last else "\nNo failure yet.", "bold")
        for number, finding in enumerate(self._last, 1):
            yield shared.failure(finding, number)

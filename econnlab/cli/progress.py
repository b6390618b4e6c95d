"""How far a run has come, on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

#: Progress is redrawn this often; drawing costs a millisecond, which a send may have to wait for.
TICK_S = 0.5


class Shown(Protocol):
    """A bar, or nothing."""

    def reached(self, requests: int) -> None:
        """So many have ended."""

    def pause(self) -> None:
        """Take it away, so that a line can stand in its place."""

    def go_on(self) -> None:
        """Draw it again."""


@contextlib.contextmanager
def progress(total: int, what: str = "requests", *, enabled: bool = True) -> Iterator[Shown]:
    """A bar of ``total`` requests, or of ``what``, on stderr, where that is a terminal."""
    if not (enabled and sys.stderr.isatty()):
        yield _Nothing()
        return
    with _bar(what) as drawn:
        yield _Bar(drawn, total)


class _Nothing:
    def reached(self, requests: int) -> None:
        """Nobody looks."""

    def pause(self) -> None:
        """Nothing is there."""

    def go_on(self) -> None:
        """Nothing is drawn."""


class _Bar:
    def __init__(self, drawn: Progress, total: int) -> None:
        self._drawn = drawn
        self._task = drawn.add_task("", total=total)

    def reached(self, requests: int) -> None:
        self._drawn.update(self._task, completed=requests)
        self._drawn.refresh()

    def pause(self) -> None:
        self._drawn.stop()

    def go_on(self) -> None:
        self._drawn.start()


def _bar(what: str) -> Progress:
    # Only here: it takes a quarter of the time in which the command line starts.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from econnlab.cli.console import console

    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        auto_refresh=False,
        transient=True,
    )

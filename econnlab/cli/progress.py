"""How far a command is: one line on stderr, redrawn on a terminal, and printed now and then without one."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic as now

from econnlab.cli.bar import BAR_WIDTH, bar

#: A terminal is drawn on this often, and whoever waits for events looks up this often.
TICK_S = 0.2
#: Without a terminal a line is printed this often; a command that ends sooner prints none.
PLAIN_EVERY_S = 10.0
_ERASE = "\r\x1b[K"


class Progress:
    """Counts of ``what`` up to ``total``; None if nobody knows how many there will be.

    ``about_s`` is how long the whole is expected to take; without it the time left follows from the counts.
    """

    def __init__(self, what: str, total: int | None, about_s: float | None) -> None:
        self._what = what
        self._total = total
        self._about_s = about_s
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._every_s = TICK_S if self._terminal else PLAIN_EVERY_S
        self._began = self._drawn = now()
        self._done = 0
        self._stage = ""
        self._visible = False
        self._lock = threading.Lock()

    def reached(self, done: int, stage: str = "") -> None:
        """So many are done; may be called as often as anything happens."""
        with self._lock:
            self._done, self._stage = done, stage
            if now() - self._drawn < self._every_s:
                return
            self._drawn = now()
            line = self._line()
            self._write(f"{_ERASE}{line[: _width() - 1]}" if self._terminal else f"{line}\n")
            self._visible = self._terminal

    def clear(self) -> None:
        """Remove the line, so that other text can be printed in its place."""
        with self._lock:
            if self._visible:
                self._write(_ERASE)
                self._visible = False

    def _line(self) -> str:
        passed_s = now() - self._began
        parts = [f"{passed_s:.0f} s", self._stage, self._count()]
        left_s = self._left_s(passed_s)
        if left_s is not None:
            parts.append(f"about {left_s:.0f} s left")
        return ", ".join(filter(None, parts))

    def _count(self) -> str:
        if self._total is None:
            return f"{self._done} {self._what}"
        rate = self._done / self._total if self._total else 1.0
        ascii_only = not self._terminal or (sys.stderr.encoding or "").lower() not in ("utf-8", "utf8")
        drawn = f"{bar(rate, ascii_only=ascii_only):{BAR_WIDTH}} " if self._terminal else ""
        return f"{drawn}{self._done}/{self._total} {self._what}"

    def _left_s(self, passed_s: float) -> float | None:
        if self._about_s is not None and passed_s < self._about_s:
            return self._about_s - passed_s
        if self._total and self._done:
            return passed_s / self._done * (self._total - self._done)
        return None

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the command goes on if stderr takes nothing
            sys.stderr.write(text)
            sys.stderr.flush()


@contextlib.contextmanager
def progress(
    what: str = "requests", total: int | None = None, about_s: float | None = None
) -> Iterator[Progress]:
    """A Progress that leaves no line behind."""
    shown = Progress(what, total, about_s)
    try:
        yield shown
    finally:
        shown.clear()


@contextlib.contextmanager
def watched(shown: Progress, look: Callable[[], tuple[int, str]]) -> Iterator[None]:
    """Draw ``shown`` from a thread while this one computes; ``look`` says what is done, and the stage."""
    ended = threading.Event()

    def draw() -> None:
        while not ended.wait(TICK_S):
            shown.reached(*look())

    thread = threading.Thread(target=draw, name="econnlab-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80

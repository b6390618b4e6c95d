"""Ctrl-C, and the other ways to be told to stop: the first time in good order, the second at once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from econnlab.errors import ExitCode

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.happened = False
        self._stop: Callable[[], None] = lambda: None

    def stops(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` when it happens, or now if it has."""
        self._stop = stop
        if self.happened:
            stop()

    def handle(self, signal_number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if self.happened:
            # The lab's processes see their stdin close, and end.
            os._exit(ExitCode.INTERRUPTED)
        self.happened = True
        self._stop()


@contextlib.contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Turn signals into ``Interrupts`` for a while, so that none falls into the middle of cleaning up."""
    state = Interrupts()
    before = {number: signal.getsignal(number) for number in STOPS}
    for number in STOPS:
        # nohup stays nohup. A shell ignores SIGINT for what it runs in the background, but who sends one
        # to that very process means it.
        if number is not signal.SIGHUP or before[number] is not signal.SIG_IGN:
            signal.signal(number, state.handle)
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

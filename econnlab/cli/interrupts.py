"""Ctrl-C and the other signals to stop: the first one ends a command cleanly, the second at once."""

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
        """Call ``stop`` when the user asks, or now if that has happened."""
        self._stop = stop
        if self.happened:
            stop()

    def handle(self, signal_number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if self.happened:
            # The lab's processes end when their stdin closes.
            os._exit(ExitCode.INTERRUPTED)
        self.happened = True
        self._stop()


@contextlib.contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle signals as ``Interrupts`` in this context, so that none interrupts the cleaning up."""
    state = Interrupts()
    before = {number: signal.getsignal(number) for number in STOPS}
    for number in STOPS:
        # nohup stays nohup. A shell makes background jobs ignore SIGINT, but a SIGINT that is sent to the
        # process itself is meant for it.
        if number is not signal.SIGHUP or before[number] is not signal.SIG_IGN:
            signal.signal(number, state.handle)
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""``watch``: packets taken from the ring, judged, and shown, until told to stop."""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from econnlab.cli.console import console
from econnlab.cli.interrupts import Interrupts, interrupts
from econnlab.cli.live import GRACE_NS, OUTLOOK_NS, Finding, Limits, Live, Running
from econnlab.commands.watch import page
from econnlab.commands.watch.lines import Lines
from econnlab.commands.watch.saving import Saving
from econnlab.commands.watch.screen import Screen
from econnlab.discovery import parts
from econnlab.errors import ExitCode

#: Connections are judged this often, and less often if that takes more than a tenth of the time.
_JUDGED_EVERY_S = 0.5
_SHARE = 10
#: Shares of the memory: for the packets of the last while, and for the interpreter and the ring's copies.
_HISTORY, _FIXED_MB = 3, 40
_NS = 1_000_000_000


@dataclass(frozen=True)
class WatchOptions:
    """What ``watch`` was asked for."""

    interface: str | None
    port: int | None
    host: str | None
    memory_mb: int
    until_failure: bool
    every_ms: Decimal
    save_failures: str | None
    metrics: str | None


def watch(options: WatchOptions) -> int:
    """Capture, judge and show. Returns the exit code."""
    out = console()
    with contextlib.ExitStack() as owned:
        saving = None if options.save_failures is None else Saving(options.save_failures)
        metrics = None
        if options.metrics is not None:
            from econnlab.commands.watch.metrics import Metrics

            metrics = owned.enter_context(Metrics(options.metrics))
        usable_mb = max(20, options.memory_mb - _FIXED_MB)
        live = Live(options.interface, options.port, options.host, (usable_mb << 20) // _HISTORY)
        owned.enter_context(contextlib.closing(live))
        stop = owned.enter_context(interrupts())
        owned.enter_context(_rare_collections())
        where = page.where(options.interface, options.port, options.host)
        parts("econnlab.attribution.causes")  # imported now: the summary after Ctrl-C comes without delay
        watching = _Watch(options, live, where, stop)
        on_screen = sys.stdin.isatty() and out.is_terminal
        shown: Screen | Lines = (
            Screen(out, live)
            if on_screen
            else Lines(out, float(options.every_ms) / 1000, each=not options.until_failure)
        )
        with shown:
            for state in watching.states():
                if saving is not None:
                    saving.save(state.found, live)
                if metrics is not None:
                    metrics.update(state)
                shown.update(state)
                watching.ended = shown.ended
        page.summary(out, state, live, until_failure=options.until_failure)
        if saving is not None:
            saving.say()
    return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


class _Watch:
    """Moves packets from the ring to the judge."""

    def __init__(self, options: WatchOptions, live: Live, where: str, stop: Interrupts) -> None:
        usable = max(20, options.memory_mb - _FIXED_MB)
        # The page of a first failure is not kept waiting for what the server does next.
        outlook_ns = GRACE_NS if options.until_failure else OUTLOOK_NS
        self._running = Running(Limits.of_memory(usable * (_HISTORY - 1) // _HISTORY), outlook_ns)
        self._live = live
        self._where = where
        self._stop = stop
        self._until_failure = options.until_failure
        self._began = time.time()
        #: The user has asked for the end, by a key.
        self.ended = False

    def states(self) -> Iterator[page.State]:
        """What is known, each time that connections were judged; the last time after the end."""
        with _woken(self._stop) as woken:
            poll = select.poll()
            for fd in (self._live.fileno(), woken):
                poll.register(fd, select.POLLIN)
            if sys.stdin.isatty():
                poll.register(sys.stdin.fileno(), select.POLLIN)
            due = time.monotonic() + _JUDGED_EVERY_S
            while not self._stop.happened and not self.ended:
                ready = poll.poll(max(0.0, due - time.monotonic()) * 1000)
                self._take()
                typed = any(fd not in (self._live.fileno(), woken) for fd, _ in ready)
                if time.monotonic() >= due or typed:
                    began = time.monotonic()
                    found = self._running.judge(time.time_ns())
                    yield self.state(found)
                    due = time.monotonic() + max(_JUDGED_EVERY_S, _SHARE * (time.monotonic() - began))
                    if self._until_failure and self._running.totals.lost():
                        return
        yield self.state(self._running.finish(time.time_ns()))

    def state(self, found: list[Finding] | None = None) -> page.State:
        """All that is known now; ``found`` are the failures that are new."""
        return page.State(
            self._running,
            found or [],
            self._live.dropped(),
            self._live.unread(),
            time.time() - self._began,
            self._where,
        )

    def _take(self) -> None:
        for frames in self._live.batches():
            self._running.add(frames)
            if self._stop.happened:
                return


@contextlib.contextmanager
def _woken(stop: Interrupts) -> Iterator[int]:
    """A descriptor that becomes readable when the user asks to stop: poll(2) goes on after a signal."""
    reader, writer = socket.socketpair()
    with reader, writer:
        stop.stops(lambda: writer.sendall(b"!"))
        try:
            yield reader.fileno()
        finally:
            stop.stops(lambda: None)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Connections hold no circles; a collection walks through all of them, and the ring fills meanwhile."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.freeze()  # or the interpreter's end would walk through them

"""What a link and a wire run on: readiness, times and the parent's commands, in one thread."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Protocol, TypeVar

from econnlab.link.poller import READ, Poller
from econnlab.record.events import Source
from econnlab.record.ledger import Ledger, write_all
from econnlab.scenario.codec import decode
from econnlab.system.child import FLUSH_S, ChildSettings, Command, Commands, Verb, claim_ledger_stream
from econnlab.system.clock import now

S = TypeVar("S", bound=ChildSettings)


class Part(Protocol):
    """A link or a wire."""

    def start(self) -> None:
        """Begin."""

    def obey(self, command: Command) -> None:
        """Carry out a command other than SYNC and STOP."""

    def close(self) -> None:
        """Close everything."""


class Clockwork:
    """Calls what is ready and what is due, until stopped."""

    def __init__(self) -> None:
        self.poller = Poller()
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.stopped = False

    def at(self, due: float, act: Callable[[], None]) -> None:
        """Call ``act`` once the clock reads ``due``."""
        heapq.heappush(self._plans, (due, next(self._numbers), act))

    def run(self) -> None:
        """Go on until ``stopped``."""
        plans, poller = self._plans, self.poller
        while not self.stopped:
            poller.wait(max(0.0, plans[0][0] - now()) if plans else None)
            while plans and plans[0][0] <= now():
                heapq.heappop(plans)[2]()


def run_process(kind: type[S], part_of: Callable[[S, Ledger, Clockwork], Part]) -> None:
    """Be the process of a part: read its settings, run it, and obey commands until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = decode(kind, commands.first())
    clockwork = Clockwork()
    ledger = Ledger(
        Source.LINK,
        lambda batch: write_all(ledger_fd, batch),
        lambda: clockwork.at(now() + FLUSH_S, ledger.flush),
    )
    part = part_of(settings, ledger, clockwork)

    def obey(orders: list[Command]) -> None:
        for command in orders:
            if command.verb is Verb.SYNC:
                ledger.sync(command.value)
            elif command.verb is Verb.STOP:
                clockwork.stopped = True
            else:
                part.obey(command)

    clockwork.poller.watch(commands.fd, READ, lambda _: obey(commands.read()))
    try:
        part.start()
        ledger.flush()
        obey(commands.waiting())
        clockwork.run()
    finally:
        part.close()
        ledger.flush()

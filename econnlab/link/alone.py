"""The link that stands alone: who is let through, in which treatment, and what changes while it runs."""

from __future__ import annotations

import dataclasses
import socket
from typing import Any, cast

from econnlab.link.link import Address, Link
from econnlab.link.poller import READ, Poller
from econnlab.link.relay import Relay, Side
from econnlab.link.treated import TreatedRelay
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.codec import decode, encode
from econnlab.scenario.orders import Act, spelled
from econnlab.scenario.treatment import Treatment, WhenFull
from econnlab.system.sockets import reset_on_close

#: What one read may bring; larger ones gain nothing (tests/benchmarks/bench_link.py).
BUFFER_SIZE = 1 << 18
#: Connections taken before those that are there have their turn.
ACCEPTS_A_TURN = 64


class LinkAlone(Link):
    """Relays from ``listener`` to the first of ``candidates``, addresses of one upstream, that answers."""

    def __init__(
        self,
        treatment: Treatment,
        seed: int,
        listener: socket.socket,
        candidates: list[Address],
        ledger: Ledger,
        poller: Poller,
    ) -> None:
        super().__init__(treatment.delay, seed, listener, candidates[0], ledger, poller, treatment.idle_drop)
        self.candidates = candidates
        self.buffer = memoryview(bytearray(BUFFER_SIZE))
        self._treatment = treatment
        self._changes = 0
        self._held = False
        self._queueing = False
        #: New connections wait in the kernel's queue, for one of the two reasons above.
        self._shut = False

    # -- what may be said to it -----------------------------------------------------------------

    def obey(self, command: dict[str, Any]) -> None:
        """Obey one of these three; ``treat`` has the fields of Treatment that are to change."""
        if "treat" in command:
            self._treat(decode(Treatment, {**encode(self._treatment), **command["treat"]}))
        elif "act" in command:
            self._act(Act(command["act"]), command["connection"])
        elif "count" in command:
            for relay in self._treated():
                relay.count()

    def _treated(self) -> list[TreatedRelay]:
        return cast(list[TreatedRelay], list(self._relays.values()))

    def run(self) -> None:
        """Relay until stopped."""
        self.ledger.event(Kind.CHANGED, plan=spelled(self._treatment))
        super().run()

    def _treat(self, treatment: Treatment) -> None:
        """All of it holds for every connection, open and to come, before another packet is looked at."""
        before, self._treatment = self._treatment, treatment
        self._changes += 1
        self._spec, self.middlebox = treatment.delay, treatment.idle_drop
        for number, relay in list(zip(self._relays, self._treated(), strict=True)):
            if treatment.delay != before.delay:
                relay.delay(treatment.delay, f"{self._seed}/{number}/{self._changes}")
            if treatment.idle_drop != before.idle_drop:
                relay.remember_as(self)
            if treatment.reset_after != before.reset_after:
                relay.reset_after(treatment.reset_after)
        self.ledger.event(Kind.CHANGED, plan=spelled(treatment))
        self._admit()

    def _act(self, act: Act, number: int | None) -> None:
        chosen = self._treated() if number is None else []
        if number in self._relays:
            chosen = [cast(TreatedRelay, self._relays[number])]
        if act is Act.RESET:
            for relay in chosen:
                relay.reset("asked")
            return
        if number is None:
            self._held = act is Act.PAUSE
        for relay in chosen:
            if act is Act.PAUSE:
                relay.hold()
            else:
                relay.release()
        self.ledger.event(Kind.PAUSED if act is Act.PAUSE else Kind.RESUMED, number)
        self._admit()

    # -- letting in -----------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        limit = self._treatment.limit
        return limit is not None and len(self._relays) >= limit.connections

    def _listen(self) -> None:
        super()._listen()
        if self._shut:
            self.poller.forget(self._listener.fileno())

    def _on_acceptable(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            if self._shut or not self._accept_one():
                return
            self._admit()

    def _admit(self) -> None:
        """Take connections, or leave them in the kernel's queue, as it stands now."""
        limit = self._treatment.limit
        self._queueing = self._full and limit is not None and limit.when_full is WhenFull.QUEUE
        shut = self._held or self._queueing
        if shut == self._shut:
            return
        self._shut = shut
        if shut:
            self.ledger.event(Kind.ACCEPT_PAUSED, reason="paused" if self._held else "full")
        else:
            self.ledger.event(Kind.ACCEPT_RESUMED)
        if self._refusing:  # nothing listens; when it does again, _listen looks at this
            return
        if shut:
            self.poller.forget(self._listener.fileno())
        else:
            self.poller.watch(self._listener.fileno(), READ, lambda _: self._on_acceptable())

    def _relay(self, client: socket.socket, upstream: socket.socket, peer: str) -> None:
        number = next(self._numbers)
        treatment = self._treatment
        self.ledger.event(Kind.ACCEPTED, number, peer=peer, plan=self._plan())
        if treatment.fail_first:
            self._treatment = dataclasses.replace(treatment, fail_first=treatment.fail_first - 1)
            self.ledger.event(Kind.RESET, number, reason="fail_first")
        elif self._full:
            assert treatment.limit is not None
            self.ledger.event(Kind.DROPPED, number, reason=treatment.limit.when_full.value)
        else:
            self._begin(number, client, upstream)
            return
        if treatment.fail_first or (treatment.limit and treatment.limit.when_full is WhenFull.RESET):
            reset_on_close(client)
        client.close()
        upstream.close()
        self.ledger.event(Kind.CLOSED, number, to_server=0, to_client=0)

    def _plan(self) -> dict[str, Any]:
        """What is meant for the connection that comes now."""
        return {**spelled(self._treatment), "fail-first": self._treatment.fail_first > 0}

    def _relay_of(self, number: int, client: Side, server: Side) -> Relay:
        relay = TreatedRelay(self, number, client, server)
        relay.delay(self._spec, f"{self._seed}/{number}")
        relay.reset_after(self._treatment.reset_after)
        return relay

    def forget(self, number: int) -> None:
        """A relay has ended: there is room for another one."""
        super().forget(number)
        if not self._stopped:
            self._admit()

    # -- the upstream ---------------------------------------------------------------------------

    def prefer(self, upstream: Address) -> None:
        """It has answered at this address: that one is tried first from now on."""
        if upstream != self.upstream:
            self.upstream = upstream
            self.candidates = [upstream, *(each for each in self.candidates if each != upstream)]

    def _ask_upstream(self) -> None:
        self.candidates = [*self.candidates[1:], self.candidates[0]]
        self.upstream = self.candidates[0]
        super()._ask_upstream()

"""The link: takes connections and relays each to the upstream as its Treatment says."""

from __future__ import annotations

import dataclasses
import itertools
import socket
from typing import Any

from econnlab.link.clockwork import Clockwork
from econnlab.link.endpoint import Endpoint, Upstreams, prepared
from econnlab.link.intake import Intake
from econnlab.link.relay import Relay
from econnlab.link.settings import LinkSettings
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.codec import decode, encode
from econnlab.scenario.orders import Act, Do, spelled
from econnlab.scenario.treatment import Treatment, WhenFull
from econnlab.system.child import Command, Verb
from econnlab.system.sockets import reset_on_close

#: The size of one read; a larger one gains nothing (tests/benchmarks/bench_link.py).
BUFFER_SIZE = 1 << 18
#: Connections taken in a row; a run takes one, because others must not be late meanwhile.
ACCEPTS_A_TURN = 64


class Link:
    """Relays from its listener to the first of its upstream's addresses that answers."""

    def __init__(self, settings: LinkSettings, ledger: Ledger, clockwork: Clockwork) -> None:
        self.ledger = ledger
        self.clockwork = clockwork
        self.treatment = settings.treatment
        self.traced = settings.traced
        self.upstreams = Upstreams(settings.upstreams)
        #: All relays read into this, one after another.
        self.buffer = memoryview(bytearray(BUFFER_SIZE))
        self._seed = settings.seed
        self._relays: dict[int, Relay] = {}
        self._numbers = itertools.count(1)
        self._changes = 0
        self._held = False
        self._intake = Intake(
            socket.socket(fileno=settings.listener_fd),
            self.upstreams,
            ledger,
            clockwork,
            self._take,
            1 if self.traced else ACCEPTS_A_TURN,
        )

    def start(self) -> None:
        """Listen."""
        if not self.traced:
            self.ledger.event(Kind.CHANGED, plan=spelled(self.treatment))
        self._intake.listen()

    def close(self) -> None:
        """Close the listener and every connection."""
        self._intake.close()
        for relay in list(self._relays.values()):
            relay.close()
        self.ledger.event(Kind.STOPPED)

    # -- commands ---------------------------------------------------------------------------------

    def obey(self, command: Command) -> None:
        """TREAT, ACT or COUNT."""
        if command.verb is Verb.TREAT:
            self._treat(decode(Treatment, {**encode(self.treatment), **command.value}))
        elif command.verb is Verb.ACT:
            self._act(decode(Do, command.value))
        elif command.verb is Verb.COUNT:
            for relay in self._relays.values():
                relay.count()

    def _treat(self, treatment: Treatment) -> None:
        """Apply all of it to every connection, open or new, before the next packet."""
        before, self.treatment = self.treatment, treatment
        self._changes += 1
        for number, relay in list(self._relays.items()):
            relay.treat(treatment, before, f"{self._seed}/{number}/{self._changes}")
        self.ledger.event(Kind.CHANGED, plan=spelled(treatment))
        self._admit()

    def _act(self, do: Do) -> None:
        number = do.connection
        chosen = list(self._relays.values()) if number is None else []
        if number in self._relays:
            chosen = [self._relays[number]]
        if do.act is Act.RESET:
            for relay in chosen:
                relay.reset("asked")
            return
        pause = do.act is Act.PAUSE
        if number is None:
            self._held = pause
        for relay in chosen:
            if pause:
                relay.hold()
            else:
                relay.release()
        self.ledger.event(Kind.PAUSED if pause else Kind.RESUMED, number)
        self._admit()

    # -- connections ------------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        limit = self.treatment.limit
        return limit is not None and len(self._relays) >= limit.connections

    def _admit(self) -> None:
        """Take connections, or leave them in the kernel's queue, as it stands now."""
        limit = self.treatment.limit
        queueing = limit is not None and limit.when_full is WhenFull.QUEUE and self._full
        self._intake.shut("paused" if self._held else "full" if queueing else None)

    def _take(self, client: socket.socket, upstream: socket.socket, peer: str) -> None:
        number = next(self._numbers)
        self.ledger.event(Kind.ACCEPTED, number, peer=peer, plan=self._plan())
        limit = self.treatment.limit
        if left := self.treatment.fail_first:
            self.treatment = dataclasses.replace(self.treatment, fail_first=left - 1)
            self.ledger.event(Kind.RESET, number, reason="fail_first")
            self._send_away(number, client, upstream, reset=True)
        elif limit is not None and self._full:
            self.ledger.event(Kind.DROPPED, number, reason=limit.when_full.value)
            self._send_away(number, client, upstream, reset=limit.when_full is WhenFull.RESET)
        else:
            ends = Endpoint("client", prepared(client)), Endpoint("server", prepared(upstream))
            self._relays[number] = relay = Relay(self, number, *ends)
            relay.treat(self.treatment, None, f"{self._seed}/{number}")
            relay.start()
        self._admit()

    def _send_away(self, number: int, client: socket.socket, upstream: socket.socket, *, reset: bool) -> None:
        if reset:
            reset_on_close(client)
        client.close()
        upstream.close()
        self.ledger.event(Kind.CLOSED, number, to_server=0, to_client=0)

    def _plan(self) -> dict[str, Any] | None:
        """What is planned for the connection that comes now."""
        if self.traced:
            return None
        return {**spelled(self.treatment), "fail-first": self.treatment.fail_first > 0}

    def forget(self, number: int) -> None:
        """A relay has ended."""
        self._relays.pop(number, None)
        if not self.clockwork.stopped:
            self._admit()

    def on_connect_failed(self, failed: int) -> None:
        """The upstream could not be reached at any of its addresses."""
        self._intake.on_connect_failed(failed)

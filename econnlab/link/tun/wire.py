"""The wire: takes packets out of the device and puts them back, turned round, after their delay."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable

from econnlab.link.delays import delays
from econnlab.link.poller import READ, Poller
from econnlab.link.tun.device import FAR, NEAR
from econnlab.link.tun.packets import ACK, FIN, RST, SYN, Segment, tcp_segment, turned_round
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.links import LinkSpec
from econnlab.system.clock import now
from econnlab.system.sockets import address

CLIENT, SERVER = "client", "server"

_LONGEST_PACKET = 65535
#: Packets taken in before those that are due get their turn.
_BATCH = 64


class Wire:
    """Carries packets between NEAR and FAR with the delays of ``spec``, and enters what they were.

    ``port`` is the server's: a packet to it comes from a client. Each direction is one queue: nothing
    overtakes, whatever the jitter. What is no TCP over IPv4 is dropped. The ledger counts packets: what TCP
    sends again is entered again. ``run`` flushes it at ``flush_by``.
    """

    def __init__(self, spec: LinkSpec, seed: int, fd: int, port: int, ledger: Ledger, poller: Poller) -> None:
        self.flush_by: float | None = None
        self._fd = fd
        self._port = port
        self._ledger = ledger
        self._poller = poller
        self._ways = {
            CLIENT: _Way(delays(spec.to_server, f"{seed}/to_server")),
            SERVER: _Way(delays(spec.to_client, f"{seed}/to_client")),
        }
        self._connections = _Connections()
        self._stopped = False

    def run(self) -> None:
        """Carry until stopped."""
        os.set_blocking(self._fd, False)
        self._poller.watch(self._fd, READ, lambda _: self._take_in())
        self._ledger.event(Kind.LISTENING, local=address((FAR, self._port)))
        self._ledger.flush()
        while not self._stopped:
            due = [way.queue[0][0] for way in self._ways.values() if way.queue]
            if self.flush_by is not None:
                due.append(self.flush_by)
            self._poller.wait(max(0.0, min(due) - now()) if due else None)
            self._pass_on()
            if self.flush_by is not None and self.flush_by <= now():
                self.flush_by = None
                self._ledger.flush()

    def stop(self) -> None:
        """Make ``run`` return."""
        self._stopped = True

    def close(self) -> None:
        """Close the device: the interface goes, with every packet still under way."""
        self._poller.forget(self._fd)
        os.close(self._fd)
        self._ledger.event(Kind.STOPPED)

    def _take_in(self) -> None:
        for _ in range(_BATCH):
            try:
                packet = os.read(self._fd, _LONGEST_PACKET)
            except BlockingIOError:
                return
            began = now()
            segment = tcp_segment(packet)
            if segment is not None:
                side = CLIENT if segment.target_port == self._port else SERVER
                self._ways[side].add(began, turned_round(packet), segment)

    def _pass_on(self) -> None:
        # Whichever of the two directions is due first: their order is evidence.
        while True:
            side = min(self._ways, key=lambda side: self._ways[side].next_due)
            if self._ways[side].next_due > now():
                return
            _, began, packet, segment = self._ways[side].queue.popleft()
            os.write(self._fd, packet)
            self._enter(side, began, now(), segment)

    def _enter(self, side: str, began: float, at: float, segment: Segment) -> None:
        port = segment.source_port if side == CLIENT else segment.target_port
        opens = side == CLIENT and segment.flags & (SYN | ACK) == SYN
        number, is_new = self._connections.number(port, segment.sequence if opens else None)
        if is_new:
            # As in a relay's ledger: peer is the client's own address, local the one that the server sees.
            self._ledger.event(Kind.ACCEPTED, number, began, peer=address((NEAR, port)))
            self._ledger.event(Kind.CONNECTED, number, at, local=address((FAR, port)))
        if segment.flags & SYN:
            self._ledger.event(Kind.SYN, number, at, side=side, began=began)
        if segment.payload:
            self._ledger.event(Kind.BYTES, number, at, side=side, bytes=segment.payload, began=began)
        for flag, kind in ((FIN, Kind.FIN), (RST, Kind.RST)):
            if segment.flags & flag:
                self._ledger.event(kind, number, at, side=side, began=began)


class _Way:
    """One direction: packets in the order in which they came, each with the time it is due."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self.queue: deque[tuple[float, float, bytes, Segment]] = deque()
        self._draw = draw
        self._last_due = 0.0

    def add(self, began: float, packet: bytes, segment: Segment) -> None:
        self._last_due = max(self._last_due, began + self._draw())
        self.queue.append((self._last_due, began, packet, segment))

    @property
    def next_due(self) -> float:
        return self.queue[0][0] if self.queue else float("inf")


class _Connections:
    """Numbers for connections: the client's port tells them apart, and the first SYN's sequence number.

    A SYN that is sent again repeats its sequence number; a port taken for another connection does not.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._known: dict[int, tuple[int, int | None]] = {}

    def number(self, port: int, opening: int | None) -> tuple[int, bool]:
        """The connection of ``port``, and whether it is new; ``opening`` is the sequence number of a SYN."""
        known = self._known.get(port)
        if known is not None and opening in (None, known[1]):
            return known[0], False
        number = next(self._numbers)
        self._known[port] = (number, opening)
        return number, True

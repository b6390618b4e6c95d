"""The wire: reads packets from the device and writes them back, turned round, after their delay."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable

from econnlab.link.clockwork import Clockwork
from econnlab.link.delays import delays
from econnlab.link.poller import READ
from econnlab.link.settings import WireSettings
from econnlab.link.tun.device import FAR, NEAR
from econnlab.link.tun.packets import ACK, FIN, RST, SYN, TcpPacket, tcp_segment, turned_round
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.system.child import Command
from econnlab.system.clock import now
from econnlab.system.sockets import address

CLIENT, SERVER = "client", "server"

_LONGEST_PACKET = 65535
#: Packets read in a row before those that are due have their turn.
_BATCH = 64


class Wire:
    """Carries packets between NEAR and FAR, and enters in the ledger what they were.

    A packet to the server's port comes from a client. Each direction is one queue: nothing overtakes,
    whatever the jitter. What is not TCP over IPv4 is dropped. A retransmission is entered again.
    """

    def __init__(self, settings: WireSettings, ledger: Ledger, clockwork: Clockwork) -> None:
        self._fd = settings.listener_fd
        self._port = settings.port
        self._ledger = ledger
        self._clockwork = clockwork
        self._ways = {
            CLIENT: _Way(delays(settings.spec.to_server, f"{settings.seed}/to_server")),
            SERVER: _Way(delays(settings.spec.to_client, f"{settings.seed}/to_client")),
        }
        self._connections = _Connections()

    def start(self) -> None:
        """Carry packets from now on."""
        os.set_blocking(self._fd, False)
        self._clockwork.poller.watch(self._fd, READ, lambda _: self._take_in())
        self._ledger.event(Kind.LISTENING, local=address((FAR, self._port)))

    def obey(self, command: Command) -> None:
        """A wire has no commands of its own."""

    def close(self) -> None:
        """Close the device: the interface disappears, with every packet on its way."""
        self._clockwork.poller.forget(self._fd)
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
                due = self._ways[side].add(began, turned_round(packet), segment)
                self._clockwork.at(due, self._pass_on)

    def _pass_on(self) -> None:
        # First the direction that is due first: the order of the two is evidence.
        while True:
            side = min(self._ways, key=lambda side: self._ways[side].next_due)
            if self._ways[side].next_due > now():
                return
            due, began, packet, segment = self._ways[side].queue.popleft()
            os.write(self._fd, packet)
            self._enter(side, began, due, segment)

    def _enter(self, side: str, began: float, due: float, segment: TcpPacket) -> None:
        at = now()
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
            self._ledger.event(Kind.BYTES, number, at, side=side, bytes=segment.payload, began=began, due=due)
        for flag, kind in ((FIN, Kind.FIN), (RST, Kind.RST)):
            if segment.flags & flag:
                self._ledger.event(kind, number, at, side=side, began=began, due=due)


class _Way:
    """One direction: packets in the order in which they came, each with the time it is due."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self.queue: deque[tuple[float, float, bytes, TcpPacket]] = deque()
        self._draw = draw
        self._last_due = 0.0

    def add(self, began: float, packet: bytes, segment: TcpPacket) -> float:
        """Queue ``packet``. Returns when it is due."""
        self._last_due = max(self._last_due, began + self._draw())
        self.queue.append((self._last_due, began, packet, segment))
        return self._last_due

    @property
    def next_due(self) -> float:
        return self.queue[0][0] if self.queue else float("inf")


class _Connections:
    """Numbers for connections, told apart by the client's port and the sequence number of the first SYN.

    A retransmitted SYN repeats its sequence number; a new connection from the same port has another.
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

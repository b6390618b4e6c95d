"""One relayed connection: what each side sent, on its way to the other.

        client ── read ──▶ [queue of the client: due, what] ── when due ──▶ server
        client ◀── when due ── [queue of the server: due, what] ◀── read ── server

Bytes, FIN and RST of one direction leave in the order in which they came, each no earlier than its own
delay after it came. A side that sends too fast is not read any more until its queue has drained, so that
TCP's own window pushes back on it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from econnlab.link.middlebox import Memory
from econnlab.link.poller import ERROR, READ, WRITE
from econnlab.record.events import Kind
from econnlab.system.clock import now
from econnlab.system.sockets import address, errno_name, reset_on_close

if TYPE_CHECKING:
    from econnlab.link.link import Link

READ_SIZE = 65536
#: Bytes on their way in one direction from which on its sender is not read any more.
MOST_IN_FLIGHT = 1 << 20
#: A proxy in front may spell the header's name its own way (HAProxy in lower case).
_REQUEST_ID = re.compile(rb"\r\nx-econnlab-request: *([!-~]{1,64})\r\n", re.IGNORECASE)
#: What a connection shows that was made and ended again before we looked: an RST, or a FIN and an RST.
_AFTER_CONNECT = (errno.ECONNRESET, errno.EPIPE)


def request_in(data: bytes) -> str | None:
    """The lab's name of a request in ``data``; None where there is none, as always with TLS."""
    found = _REQUEST_ID.search(data)
    return found[1].decode("ascii") if found is not None else None


@dataclass(slots=True)
class Item:
    """Bytes, a FIN or an RST on its way."""

    due: float
    kind: Kind
    began: float
    size: int
    rest: memoryview
    #: The lab's name of the request that these bytes begin, where they say it.
    request_id: str | None


class Side:
    """One end of a relayed connection: its socket, and what it sent that is still on its way."""

    __slots__ = (
        "blocked",
        "delay",
        "direct",
        "gone",
        "in_flight",
        "input_ended",
        "last_due",
        "most_in_flight",
        "name",
        "output_ended",
        "passed",
        "queue",
        "sock",
        "watched",
    )

    def __init__(self, name: str, sock: socket.socket, delay: Callable[[], float]) -> None:
        self.name = name
        self.sock = sock
        #: Draws the delay, in seconds, of the next thing that this side sends.
        self.delay = delay
        self.queue: deque[Item] = deque()
        self.in_flight = 0
        #: From so many bytes on their way on it is not read any more.
        self.most_in_flight = MOST_IN_FLIGHT
        #: Without a delay, and nothing before it, what it sends need not wait in the queue.
        self.direct = False
        #: Bytes of it that the other side's kernel has taken.
        self.passed = 0
        self.last_due = 0.0
        #: Its FIN or RST has been read: nothing more comes from it.
        self.input_ended = False
        #: The other side's FIN has been passed on to it.
        self.output_ended = False
        #: It has reset the connection, or has been reset: nothing can be passed on to it.
        self.gone = False
        #: The kernel did not take all that was due to it: wait until it is writable.
        self.blocked = False
        #: The mask that the poller waits for; None where it does not.
        self.watched: int | None = None

    @property
    def mask(self) -> int:
        """What to wait for on its socket."""
        reading = not self.input_ended and self.in_flight < self.most_in_flight
        return (READ if reading else 0) | (WRITE if self.blocked else 0)

    @property
    def finished(self) -> bool:
        """Nothing more will come from it, nor go to it."""
        return not self.queue and (self.gone or (self.input_ended and self.output_ended))


class Relay:
    """Two sides and what passes between them. ``link`` owns the clockwork and hears of its end."""

    def __init__(self, link: Link, number: int, client: Side, server: Side) -> None:
        self._link = link
        self._number = number
        self._client = client
        self._server = server
        self._connected = False
        self._closed = False
        self._memory = Memory(link.middlebox, now())

    def _other(self, side: Side) -> Side:
        return self._server if side is self._client else self._client

    # -- beginning ------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the client at once; connect to the server when the client's SYN would have arrived."""
        self._client.last_due = now() + self._client.delay()
        self._watch(self._client)
        self._link.at(self._client.last_due, self._connect)

    def _connect(self) -> None:
        self._connect_to(self._link.upstream)

    def _connect_to(self, upstream: tuple[str, int]) -> None:
        failed = self._server.sock.connect_ex(upstream)
        if failed in (0, errno.EINPROGRESS):
            self._server.blocked = True  # writable is what a connected socket becomes
            self._watch(self._server)
        else:
            self._on_connect_failed(failed)

    def _on_connect_result(self) -> None:
        self._server.blocked = False
        failed = self._server.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed and failed not in _AFTER_CONNECT:
            self._on_connect_failed(failed)
            return
        self._connected = True
        self._event(Kind.CONNECTED, local=address(self._server.sock.getsockname()))
        if failed:
            # Asking has taken the error away: what had come before it can still be read.
            with contextlib.suppress(OSError):
                while data := self._server.sock.recv(READ_SIZE):
                    self._send_off(self._server, Kind.BYTES, data)
            if failed == errno.EPIPE:
                self._send_off(self._server, Kind.FIN)
            self._end_by_reset(self._server)
        self._watch(self._server)
        self._deliver(self._client)

    def _on_connect_failed(self, failed: int) -> None:
        self._event(Kind.CONNECT_FAILED, errno=errno_name(failed), reason=os.strerror(failed))
        self._connected = True  # what the client sent is not held back: it is undeliverable
        self._end_by_reset(self._server)
        self._deliver(self._client)
        self._link.on_connect_failed(failed)

    # -- reading --------------------------------------------------------------------------------

    def _watch(self, side: Side) -> None:
        if side.gone or self._closed:
            return
        if side.mask != side.watched:
            side.watched = side.mask
            self._link.poller.watch(side.sock.fileno(), side.mask, lambda mask: self._on_ready(side, mask))

    def _unwatch(self, side: Side) -> None:
        if side.watched is not None:
            side.watched = None
            self._link.poller.forget(side.sock.fileno())

    def _on_ready(self, side: Side, mask: int) -> None:
        if side is self._server and not self._connected:
            self._on_connect_result()
            return
        if mask & WRITE:
            side.blocked = False
            self._watch(side)
            self._deliver(self._other(side))
        if side.gone:
            return
        if mask & (READ | ERROR) and not side.input_ended:
            self._read(side)
        elif mask & ERROR:
            self._on_error_after_fin(side)

    def _read(self, side: Side) -> None:
        try:
            data = side.sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end_by_reset(side)
            return
        self._take(side, data)

    def _take(self, side: Side, data: bytes) -> None:
        """``data`` has come from ``side``; none is its FIN."""
        side.input_ended = not data
        if self._forgotten():
            self._discard(side, Kind.BYTES if data else Kind.FIN, len(data))
        else:
            self._send_off(side, Kind.BYTES if data else Kind.FIN, data, self._request_in(side, data))
        self._watch(side)

    def _request_in(self, side: Side, data: bytes) -> str | None:
        return request_in(data) if side is self._client else None

    def _forgotten(self) -> bool:
        """Whether the middlebox, if there is one, still knows this connection when a packet comes."""
        before = self._memory.expired
        if self._memory.forgets(now()) and not before:
            self._event(Kind.EXPIRED, idle_s=self._memory.idle_s)
        return self._memory.expired

    def _discard(self, side: Side, kind: Kind, size: int) -> None:
        """Answer a packet of a forgotten connection with RST, or with nothing; the far end hears nothing."""
        answered = self._memory.answers
        self._event(
            Kind.DISCARDED,
            side=side.name,
            bytes=size or None,
            reason=kind.value,
            how="rst" if answered else None,
        )
        if answered:
            self._reset(side)

    def _on_error_after_fin(self, side: Side) -> None:
        # An RST after a FIN shows as EPIPE (tcp_reset() in CLOSE_WAIT; ECONNRESET on BSD). No error at
        # all is the plain end of both directions, which the poller would report for ever.
        if side.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end_by_reset(side)
        else:
            self._unwatch(side)

    def _end_by_reset(self, side: Side) -> None:
        self._unwatch(side)
        side.gone = side.input_ended = True
        if self._forgotten():
            self._event(Kind.DISCARDED, side=side.name, reason=Kind.RST.value)
        else:
            self._send_off(side, Kind.RST)

    # -- passing on -----------------------------------------------------------------------------

    def _send_off(self, side: Side, kind: Kind, data: bytes = b"", request_id: str | None = None) -> None:
        began = now()
        side.last_due = max(side.last_due, began + side.delay())
        side.queue.append(Item(side.last_due, kind, began, len(data), memoryview(data), request_id))
        side.in_flight += len(data)
        if side.last_due <= began:
            self._deliver(side)
        else:
            self._link.at(side.last_due, lambda: self._deliver(side))

    def _deliver(self, side: Side) -> None:
        """Pass on what ``side`` sent and is due, as far as the other side's kernel takes it."""
        to = self._other(side)
        if to is self._server and not self._connected:
            return
        # The moment before it is passed on, so that no receiver enters it sooner than we do.
        while side.queue and not to.blocked and side.queue[0].due <= (at := now()):
            item = side.queue[0]
            if to.gone:
                self._tell(Kind.UNDELIVERED, side, item, at, reason=item.kind)
            elif self._pass_on(item, to):
                self._tell(item.kind, side, item, at)
            else:
                continue
            side.in_flight -= item.size
            side.queue.popleft()
        self._watch(side)
        if self._client.finished and self._server.finished:
            self.close()

    def _pass_on(self, item: Item, to: Side) -> bool:
        """Whether ``item`` has gone whole. If not, ``to`` is blocked now, or gone."""
        try:
            if item.kind is Kind.BYTES:
                item.rest = item.rest[to.sock.send(item.rest) :]
                to.blocked = bool(item.rest)
            elif item.kind is Kind.FIN:
                to.sock.shutdown(socket.SHUT_WR)
                to.output_ended = True
            else:
                self._reset(to)
        except (BlockingIOError, InterruptedError):
            to.blocked = True
        except OSError:
            # The other side's RST has arrived, and sending is how it shows.
            self._end_by_reset(to)
            return False
        self._watch(to)
        return not to.blocked

    def _reset(self, to: Side) -> None:
        self._unwatch(to)
        to.gone = to.input_ended = True
        reset_on_close(to.sock)
        to.sock.close()

    # -- ending ---------------------------------------------------------------------------------

    def close(self, reason: str = "stopped") -> None:
        """Close both sockets; when both sides have ended, that adds nothing on the wire.

        ``reason`` is why what was still on its way is not delivered.
        """
        if self._closed:
            return
        self._closed = True
        for side in (self._client, self._server):
            for item in side.queue:  # the run ends before it was due: that it was sent is evidence
                self._tell(Kind.UNDELIVERED, side, item, now(), reason=reason)
            self._unwatch(side)
            side.sock.close()
        self._event(Kind.CLOSED, **self._sums())
        self._link.forget(self._number)

    def _sums(self) -> dict[str, Any]:
        """What is entered of the connection as a whole, when it has ended."""
        return {}

    def _tell(self, kind: Kind, side: Side, item: Item, at: float, reason: str | None = None) -> None:
        """What became at ``at`` of ``item``, which ``side`` had sent."""
        self._event(
            kind,
            at,
            side=side.name,
            bytes=item.size or None,
            began=item.began,
            request_id=item.request_id,
            reason=reason,
        )

    def _event(self, kind: str, at: float | None = None, **details: object) -> None:
        self._link.ledger.event(kind, self._number, at, **details)

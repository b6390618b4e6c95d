"""One relayed connection: what each end sent, on its way to the other.

        client ── read ──▶ [queue of the client: due, what] ── when due ──▶ server
        client ◀── when due ── [queue of the server: due, what] ◀── read ── server

Bytes, FIN and RST of one direction leave in order, each its own delay later. While too much is on its way,
its sender is not read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import Any

from econnlab.link.allowance import Allowance
from econnlab.link.delays import delays
from econnlab.link.endpoint import MOST_IN_FLIGHT, Endpoint, Item, prepared, request_in, socket_for
from econnlab.link.middlebox import Memory
from econnlab.link.owner import Owner
from econnlab.link.poller import ERROR, READ, WRITE
from econnlab.record.events import Kind
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.treatment import Treatment
from econnlab.system.clock import now
from econnlab.system.sockets import address, errno_name, unsent_bytes

READ_SIZE = 65536
#: Reads of one connection before the others have their turn.
READS_A_TURN = 8
#: How many seconds a reset waits for the acknowledgement of the bytes before it, and how often it looks.
DRAIN_S, LOOK_S = 1.0, 0.001
#: The error of a connection that ended before we looked: by an RST, or by a FIN and an RST.
_AFTER_CONNECT = (errno.ECONNRESET, errno.EPIPE)


class Relay:
    """Two ends and what passes between them."""

    def __init__(self, owner: Owner, number: int, client: Endpoint, server: Endpoint) -> None:
        self._owner = owner
        self._clockwork = owner.clockwork
        self._traced = owner.traced
        self._number = number
        self._client, self._server = client, server
        self._upstream, *self._untried = owner.upstreams.order
        self._memory = Memory(owner.treatment.idle_drop, now())
        #: connect(2) has been called; before that the server's socket looks like one that has hung up.
        self._dialed = False
        self._connected = self._closed = self._held = False
        #: It will be reset as soon as the kernel has sent what was passed on.
        self._ending = False
        self._allowance = Allowance(None)

    def _other(self, end: Endpoint) -> Endpoint:
        return self._server if end is self._client else self._client

    # -- treatment --------------------------------------------------------------------------------

    def treat(self, treatment: Treatment, before: Treatment | None, seed: str) -> None:
        """Follow ``treatment`` from now on: what it changes against ``before``, or all of it."""
        if before is None or treatment.delay != before.delay:
            self._delay(treatment.delay, seed)
        if before is None or treatment.reset_after != before.reset_after:
            self._allowance = Allowance(treatment.reset_after)
        if before is not None and treatment.idle_drop != before.idle_drop:
            self._memory.change(treatment.idle_drop)

    def _delay(self, spec: LinkSpec, seed: str) -> None:
        # What is on its way keeps its time and its place.
        ways = (self._client, spec.to_server, "to_server"), (self._server, spec.to_client, "to_client")
        for end, way, name in ways:
            end.delay = delays(way, f"{seed}/{name}")
            end.direct = not way.median_ms and not self._traced
            end.most_in_flight = 1 if end.direct else MOST_IN_FLIGHT
            self._watch(end)

    def hold(self) -> None:
        """Read nothing and pass nothing on."""
        self._held = True
        for end in (self._client, self._server):
            self._unwatch(end)

    def release(self) -> None:
        """Go on after ``hold``."""
        if not self._held or self._ending:
            return
        self._held = False
        for end in (self._client, self._server):
            self._watch(end)
            self._deliver(end)

    def reset(self, reason: str) -> None:
        """Send an RST to both ends now."""
        if self._closed:
            return
        self._event(Kind.RESET, reason=reason)
        for end in (self._client, self._server):
            if not end.gone:
                self._reset(end)
        self.close("reset")

    def count(self) -> None:
        """Enter in the ledger what has passed up to now, and the state."""
        at = now()
        states = {
            "paused": self._held,
            "connecting": not self._connected,
            "forgotten": self._memory.would_forget(at),
            "closing": self._client.input_ended or self._server.input_ended,
            "open": True,
        }
        state = next(name for name, holds in states.items() if holds)
        self._event(Kind.COUNTED, how=state, idle_s=self._memory.idle_at(at), **self._sums())

    def start(self) -> None:
        """Read the client at once; connect to the server when the client's SYN would have arrived."""
        self._client.last_due = now() + self._client.delay()
        self._watch(self._client)
        self._clockwork.at(self._client.last_due, self._connect)

    def _connect(self) -> None:
        if self._closed:
            return
        self._dialed = True
        failed = self._server.sock.connect_ex(self._upstream)
        if failed in (0, errno.EINPROGRESS):
            self._server.blocked = True  # a socket becomes writable when it is connected
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
        self._server.ready_at = now()
        self._event(Kind.CONNECTED, local=address(self._server.sock.getsockname()))
        if failed:
            # getsockopt has cleared the error: what came before it can still be read.
            with contextlib.suppress(OSError):
                while data := self._server.sock.recv(READ_SIZE):
                    self._send_off(self._server, Kind.BYTES, data)
            if failed == errno.EPIPE:
                self._send_off(self._server, Kind.FIN)
            self._end_by_reset(self._server)
        elif not self._server.gone:
            self._owner.upstreams.prefer(self._upstream)
        self._watch(self._server)
        self._deliver(self._client)

    def _on_connect_failed(self, failed: int) -> None:
        if self._untried:
            self._unwatch(self._server)
            self._server.sock.close()
            self._upstream, *self._untried = self._untried
            self._server.sock = prepared(socket_for(self._upstream))
            self._connect()
            return
        self._event(Kind.CONNECT_FAILED, errno=errno_name(failed), reason=os.strerror(failed))
        self._connected = True  # what the client sent no longer waits: it is undeliverable
        self._end_by_reset(self._server)
        self._deliver(self._client)
        self._owner.on_connect_failed(failed)

    # -- reading ----------------------------------------------------------------------------------

    def _watch(self, end: Endpoint) -> None:
        if end.gone or self._closed or self._held or (end is self._server and not self._dialed):
            return
        mask = end.mask
        if mask != end.watched:
            end.watched = mask
            self._clockwork.poller.watch(end.sock.fileno(), mask, lambda ready: self._on_ready(end, ready))

    def _unwatch(self, end: Endpoint) -> None:
        if end.watched is not None:
            end.watched = None
            self._clockwork.poller.forget(end.sock.fileno())

    def _on_ready(self, end: Endpoint, ready: int) -> None:
        if end is self._server and not self._connected:
            self._on_connect_result()
            return
        if ready & WRITE:
            end.blocked = False
            end.ready_at = now()
            self._watch(end)
            self._deliver(self._other(end))
        if end.gone:
            return
        if ready & (READ | ERROR) and not end.input_ended:
            self._read(end)
        elif ready & ERROR:
            self._on_error_after_fin(end)

    def _read(self, end: Endpoint) -> None:
        to = self._other(end)
        if end.direct and self._connected and not (end.queue or to.blocked or to.gone):
            for _ in range(READS_A_TURN):
                if not self._read_through(end, to):
                    return
            return
        try:
            data = end.sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end_by_reset(end)
            return
        self._take(end, data)

    def _read_through(self, end: Endpoint, to: Endpoint) -> bool:
        """Without delay or trace, send at once what is read, and queue what the other kernel does not accept.

        Returns whether there may be more to read.
        """
        buffer = self._owner.buffer
        most = self._allowance.room(end, len(buffer))
        try:
            size = end.sock.recv_into(buffer, most)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._end_by_reset(end)
            return False
        if not size or self._forgotten():
            self._take(end, bytes(buffer[:size]))
            return False
        sent = to.send_at_once(buffer[:size])
        self._count(end, to, sent)
        if sent == size:
            return size == most and not self._held
        self._watch(to)
        self._send_off(end, Kind.BYTES, bytes(buffer[sent:size]))
        self._watch(end)
        return False

    def _take(self, end: Endpoint, data: bytes) -> None:
        """``data`` has come from ``end``; empty data is its FIN."""
        end.input_ended = not data
        kind = Kind.BYTES if data else Kind.FIN
        if self._forgotten():
            self._discard(end, kind, len(data))
        else:
            named = self._traced and end is self._client
            self._send_off(end, kind, data, request_in(data) if named else None)
        self._watch(end)

    def _forgotten(self) -> bool:
        """Whether the middlebox has forgotten this connection when a packet comes now."""
        before = self._memory.expired
        if self._memory.forgets(now()) and not before:
            self._event(Kind.EXPIRED, idle_s=self._memory.idle_s)
        return self._memory.expired

    def _discard(self, end: Endpoint, kind: Kind, size: int) -> None:
        """Answer a packet of a forgotten connection with RST, or not at all; do not pass it on."""
        answered = self._memory.answers
        how = "rst" if answered else None
        self._event(Kind.DISCARDED, side=end.name, bytes=size or None, reason=kind.value, how=how)
        if answered:
            self._reset(end)
        self._close_if_over()

    def _on_error_after_fin(self, end: Endpoint) -> None:
        # An RST after a FIN shows as EPIPE (tcp_reset() in CLOSE_WAIT; ECONNRESET on BSD). Without an error
        # both directions have ended, which the poller would report for ever.
        if end.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end_by_reset(end)
        else:
            self._unwatch(end)

    def _end_by_reset(self, end: Endpoint) -> None:
        self._unwatch(end)
        end.gone = end.input_ended = True
        if self._forgotten():
            self._event(Kind.DISCARDED, side=end.name, reason=Kind.RST.value)
            self._close_if_over()
        else:
            self._send_off(end, Kind.RST)

    # -- passing on -------------------------------------------------------------------------------

    def _send_off(self, end: Endpoint, kind: Kind, data: bytes = b"", request_id: str | None = None) -> None:
        began = now()
        end.last_due = max(end.last_due, began + end.delay())
        end.queue.append(Item(end.last_due, kind, began, len(data), memoryview(data), request_id))
        end.in_flight += len(data)
        if end.last_due <= began:
            self._deliver(end)
        else:
            self._clockwork.at(end.last_due, lambda: self._deliver(end))

    def _deliver(self, end: Endpoint) -> None:
        """Pass on what ``end`` sent and is due, until the other end's kernel is full."""
        to = self._other(end)
        if self._held or self._closed or (to is self._server and not self._connected):
            return
        # The time before it is passed on, so that no receiver has an earlier time in its ledger.
        while end.queue and not to.blocked and end.queue[0].due <= (at := now()):
            item = end.queue[0]
            if to.gone:
                self._tell(Kind.UNDELIVERED, end, item, at, reason=item.kind)
            elif self._pass_on(item, to):
                self._tell(item.kind, end, item, at)
            else:
                continue
            end.in_flight -= item.size
            end.queue.popleft()
        self._watch(end)
        self._close_if_over()

    def _pass_on(self, item: Item, to: Endpoint) -> bool:
        """Whether all of ``item`` has been passed on. If not, ``to`` is blocked now, or gone."""
        try:
            if item.kind is Kind.BYTES:
                end = self._other(to)
                sent = to.sock.send(item.rest[: self._allowance.room(end, len(item.rest))])
                item.rest = item.rest[sent:]
                to.blocked = bool(item.rest)
                self._count(end, to, sent)
            elif item.kind is Kind.FIN:
                to.sock.shutdown(socket.SHUT_WR)
                to.output_ended = True
            else:
                self._reset(to)
        except (BlockingIOError, InterruptedError):
            to.blocked = True
        except OSError:
            # The other end's RST has arrived; sending reports it.
            self._end_by_reset(to)
            return False
        self._watch(to)
        return not to.blocked

    def _reset(self, to: Endpoint) -> None:
        self._unwatch(to)
        to.reset()

    def _count(self, end: Endpoint, to: Endpoint, size: int) -> None:
        end.passed += size
        if size and self._allowance.spend(end, size):
            self._ending = True
            self.hold()
            deadline = now() + DRAIN_S
            self._clockwork.at(now(), lambda: self._reset_when_sent(to, deadline))

    def _reset_when_sent(self, to: Endpoint, deadline: float) -> None:
        # The RST makes the kernel drop what it still has to send: first the last bytes must have gone.
        if self._closed:
            return
        if not to.gone and now() < deadline and unsent_bytes(to.sock):
            self._clockwork.at(now() + LOOK_S, lambda: self._reset_when_sent(to, deadline))
        else:
            self.reset("reset_after")

    # -- ending -----------------------------------------------------------------------------------

    def _close_if_over(self) -> None:
        forgotten = self._memory.expired  # then ends are not passed on
        if all(end.finished or (forgotten and end.silent) for end in (self._client, self._server)):
            self.close()

    def close(self, reason: str = "stopped") -> None:
        """Close both sockets; if both ends have ended, that sends nothing.

        ``reason`` is why bytes that are still on their way are not delivered.
        """
        if self._closed:
            return
        self._closed = True
        for end in (self._client, self._server):
            for item in end.queue:  # it was not due yet: that it was sent is evidence
                self._tell(Kind.UNDELIVERED, end, item, now(), reason=reason)
            self._unwatch(end)
            end.sock.close()
        self._event(Kind.CLOSED, **({} if self._traced else self._sums()))
        self._owner.forget(self._number)

    def _sums(self) -> dict[str, Any]:
        return {"to_server": self._client.passed, "to_client": self._server.passed}

    def _tell(self, kind: Kind, end: Endpoint, item: Item, at: float, reason: str | None = None) -> None:
        """Enter what became at ``at`` of ``item``, which ``end`` had sent."""
        if kind is Kind.BYTES and not self._traced:
            return
        size, named = item.size or None, item.request_id
        due = max(item.due, self._other(end).ready_at) if self._traced else None
        self._event(
            kind, at, side=end.name, bytes=size, began=item.began, due=due, request_id=named, reason=reason
        )

    def _event(self, kind: str, at: float | None = None, **details: object) -> None:
        self._owner.ledger.event(kind, self._number, at, **details)

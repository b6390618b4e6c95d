"""One connection of a link that stands alone: counted, held, reset, and quick where nothing delays it.

Without a delay bytes go from one kernel buffer to the other through one buffer that all connections share.
The queue takes over for what the far end's kernel does not take at once, and its sender is not read until
that has gone.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from econnlab.link.delays import delays
from econnlab.link.link import family_of, prepared
from econnlab.link.relay import MOST_IN_FLIGHT, Item, Relay, Side
from econnlab.record.events import Kind
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.treatment import Counted, ResetAfter
from econnlab.system.clock import now
from econnlab.system.sockets import unsent_bytes

if TYPE_CHECKING:
    from econnlab.link.alone import LinkAlone

#: How long a reset waits for the bytes before it to be acknowledged, and how often it looks.
DRAIN_S = 1.0
LOOK_S = 0.001
#: Reads of one connection before the others have their turn.
READS_A_TURN = 8


class TreatedRelay(Relay):
    """A Relay whose treatment can change; ``alone`` is the link it belongs to."""

    def __init__(self, alone: LinkAlone, number: int, client: Side, server: Side) -> None:
        super().__init__(alone, number, client, server)
        self._alone = alone
        self._held = False
        #: Bytes that still pass before it is reset; None where that is not meant for it.
        self._budget: int | None = None
        self._counts: tuple[Side, ...] = ()
        #: The server's socket has been told where to connect: before that it would only seem to hang up.
        self._dialed = False
        #: It is on its way to being reset.
        self._ending = False
        self._upstream = alone.upstream
        #: Other addresses of the upstream, for when it refuses at this one.
        self._untried = alone.candidates[1:]

    # -- treatment ------------------------------------------------------------------------------

    def delay(self, spec: LinkSpec, seed: str) -> None:
        """Delay by ``spec`` what is read from now on; what is on its way keeps its time and its place."""
        self._client.delay = delays(spec.to_server, f"{seed}/to_server")
        self._server.delay = delays(spec.to_client, f"{seed}/to_client")
        for side, way in ((self._client, spec.to_server), (self._server, spec.to_client)):
            side.direct = not way.median_ms
            side.most_in_flight = 1 if side.direct else MOST_IN_FLIGHT
            self._watch(side)

    def reset_after(self, plan: ResetAfter | None) -> None:
        """Reset it so many bytes from now on."""
        self._budget = None if plan is None else plan.size
        if plan is not None:
            to_client, to_server = (self._server,), (self._client,)
            self._counts = {Counted.TO_CLIENT: to_client, Counted.TO_SERVER: to_server}.get(
                plan.counted, to_client + to_server
            )

    def remember_as(self, alone: LinkAlone) -> None:
        """The middlebox is another one."""
        self._memory.change(alone.middlebox)

    def hold(self) -> None:
        """Neither read nor pass on anything."""
        self._held = True
        self._unwatch(self._client)
        self._unwatch(self._server)

    def release(self) -> None:
        """Go on."""
        if not self._held or self._ending:
            return
        self._held = False
        for side in (self._client, self._server):
            self._watch(side)
            self._deliver(side)

    def reset(self, reason: str) -> None:
        """Send an RST to both ends now."""
        if self._closed:
            return
        self._event(Kind.RESET, reason=reason)
        for side in (self._client, self._server):
            if not side.gone:
                self._reset(side)
        self.close("reset")

    def count(self) -> None:
        """Enter what has passed up to now."""
        at = now()
        self._event(Kind.COUNTED, how=self._state(at), idle_s=self._memory.idle_at(at), **self._sums())

    def _state(self, at: float) -> str:
        if self._held:
            return "paused"
        if not self._connected:
            return "connecting"
        if self._memory.would_forget(at):
            return "forgotten"
        if self._client.input_ended or self._server.input_ended:
            return "closing"
        return "open"

    # -- the quick way --------------------------------------------------------------------------

    def _read(self, side: Side) -> None:
        to = self._other(side)
        if not side.direct or side.queue or to.blocked or to.gone or not self._connected:
            super()._read(side)
            return
        for _ in range(READS_A_TURN):
            if not self._read_through(side, to):
                return

    def _read_through(self, side: Side, to: Side) -> bool:
        """Whether there may be more to read at once."""
        buffer = self._alone.buffer
        most = self._room(side, len(buffer))
        try:
            size = side.sock.recv_into(buffer, most)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._end_by_reset(side)
            return False
        if not size or self._forgotten():
            self._take(side, bytes(buffer[:size]))
            return False
        blocked = True
        try:
            sent = to.sock.send(buffer[:size])
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:  # its RST has arrived: the queue meets it again (EPIPE), and deals with it
            sent, blocked = 0, False
        if sent:
            self._count(side, to, sent)
        if sent == size:
            return size == most and not self._held
        to.blocked = blocked
        self._watch(to)
        self._send_off(side, Kind.BYTES, bytes(buffer[sent:size]))
        self._watch(side)
        return False

    # -- counting, and the reset after so many bytes ----------------------------------------------

    def _room(self, side: Side, most: int) -> int:
        if self._budget is None or side not in self._counts:
            return most
        return min(most, self._budget)

    def _count(self, side: Side, to: Side, size: int) -> None:
        side.passed += size
        if self._budget is None or side not in self._counts:
            return
        self._budget -= size
        if not self._budget:
            self._ending = True
            self.hold()
            deadline = now() + DRAIN_S
            self._link.at(now(), lambda: self._reset_when_sent(to, deadline))

    def _reset_when_sent(self, to: Side, deadline: float) -> None:
        # The RST throws away what the kernel still has to send: the last of the bytes must have gone.
        if self._closed:
            return
        if not to.gone and now() < deadline and unsent_bytes(to.sock):
            self._link.at(now() + LOOK_S, lambda: self._reset_when_sent(to, deadline))
        else:
            self.reset("reset_after")

    def _pass_on(self, item: Item, to: Side) -> bool:
        if item.kind is not Kind.BYTES:
            return super()._pass_on(item, to)
        side = self._other(to)
        before = len(item.rest)
        kept, item.rest = item.rest, item.rest[: self._room(side, before)]
        allowed = len(item.rest)
        done = super()._pass_on(item, to)
        sent = allowed - len(item.rest)
        item.rest = kept[sent:]
        if sent:
            self._count(side, to, sent)
        if done and item.rest:  # the rest is beyond the budget, which is used up
            to.blocked = True
            return False
        return done

    # -- what a Relay does, and this one otherwise --------------------------------------------------

    def _request_in(self, side: Side, data: bytes) -> str | None:
        return None

    def _watch(self, side: Side) -> None:
        if not self._held and (side is self._client or self._dialed):
            super()._watch(side)

    def _deliver(self, side: Side) -> None:
        if not self._held and not self._closed:
            super()._deliver(side)

    def _connect(self) -> None:
        if not self._closed:
            self._dialed = True
            self._connect_to(self._upstream)

    def _on_connect_result(self) -> None:
        super()._on_connect_result()
        if self._connected and not self._server.gone:
            self._alone.prefer(self._upstream)

    def _on_connect_failed(self, failed: int) -> None:
        if not self._untried:
            super()._on_connect_failed(failed)
            return
        self._unwatch(self._server)
        self._server.sock.close()
        self._upstream, *self._untried = self._untried
        self._server.sock = prepared(socket.socket(family_of(self._upstream), socket.SOCK_STREAM))
        self._connect_to(self._upstream)

    def _discard(self, side: Side, kind: Kind, size: int) -> None:
        super()._discard(side, kind, size)
        self._end_if_both_have()

    def _end_by_reset(self, side: Side) -> None:
        super()._end_by_reset(side)
        if self._memory.expired:
            self._end_if_both_have()

    def _end_if_both_have(self) -> None:
        # A forgotten connection: nobody hears of the other's end, and after both there is nothing to hold.
        if self._client.input_ended and self._server.input_ended:
            self.close("forgotten")

    def _sums(self) -> dict[str, Any]:
        return {"to_server": self._client.passed, "to_client": self._server.passed}

    def _tell(self, kind: Kind, side: Side, item: Item, at: float, reason: str | None = None) -> None:
        if kind is not Kind.BYTES:  # those are counted
            super()._tell(kind, side, item, at, reason)

"""What all connections of one server share: its spec in seconds, its ledger, timers, faults and answers."""

import asyncio

import h11

from econnlab.record.events import CloseReason, Kind, close_reason
from econnlab.record.ledger import Ledger
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import CloseWith, Retirement, ServerSpec
from econnlab.server.faults import Faults
from econnlab.server.idempotency import Carried
from econnlab.server.idle_timers import IdleTimers
from econnlab.server.responses import METHODS, NOT_ALLOWED, OK, Reply, error_answer, ok_answer
from econnlab.server.routes import Routes
from econnlab.system.clock import now
from econnlab.system.sockets import Closable, reset_on_close, send_held_back, unread_bytes


class Service:
    """The lab server without its listener: how it behaves towards whoever is connected."""

    def __init__(
        self, spec: ServerSpec, loop: asyncio.AbstractEventLoop, ledger: Ledger, idle_timers: IdleTimers
    ) -> None:
        self.spec = spec
        self.loop = loop
        self.ledger = ledger
        self.idle_timers = idle_timers
        self.idle_timeout_s = seconds(spec.keepalive_timeout_ms + spec.keepalive_buffer_ms)
        self._response_delay_s = seconds(spec.response_delay_ms)
        self.header_timeout_s = None if spec.header_timeout_ms is None else seconds(spec.header_timeout_ms)
        self._faults = Faults(spec.fault, loop, ledger)
        self._routes = Routes(spec, loop, ledger)
        self.carried = Carried() if spec.idempotency_keys else None
        #: How the server leaves, once another process has taken its place.
        self.retiring: Retirement | None = None
        self._ok_answer, self._error_answer = ok_answer(spec), error_answer(spec)
        #: How many requests are still to be answered with the scenario's error; None: all.
        self._errors_left = 0 if spec.status == OK else spec.status_requests

    def last_request(self, requests: int) -> CloseReason | None:
        """Why a connection ends after the response to its request ``requests``; None if it does not."""
        if self.retiring is not None:
            return CloseReason.RETIRED
        limit = self.spec.max_requests
        return CloseReason.MAX_REQUESTS if limit is not None and requests >= limit else None

    def faults_of(self, request: h11.Request | None) -> Faults:
        """What strikes ``request``; None before its head has been read."""
        routed = self._routes.of(request)
        return self._faults if routed is None or routed.faults is None else routed.faults

    def delay_s(self, request: h11.Request) -> float:
        """How long ``request`` waits for its answer."""
        routed = self._routes.of(request)
        return self._response_delay_s if routed is None or routed.delay_s is None else routed.delay_s

    def answer_to(self, request: h11.Request) -> Reply:
        """The answer to ``request``; one with status 200 is carried out first."""
        if request.method not in METHODS:
            return NOT_ALLOWED
        routed = self._routes.of(request)
        if routed is not None:
            return routed.answer
        if self._errors_left == 0:
            return self._ok_answer
        if self._errors_left is not None:
            self._errors_left -= 1
        return self._error_answer

    def close(
        self,
        sock: Closable,
        number: int,
        reason: CloseReason,
        close_with: CloseWith | None = None,
        *,
        detail: str | None = None,
        idle_s: float | None = None,
    ) -> None:
        """Close ``sock`` and enter how: tcp_close() answers unread bytes with RST (RFC 2525 section 2.17)."""
        resets = (close_with or self.spec.close_with) is CloseWith.RST
        if resets:
            reset_on_close(sock)
        unread = unread_bytes(sock)
        at = now()
        if resets:
            send_held_back(sock)
        sock.close()
        how = CloseWith.RST if unread or resets else CloseWith.FIN
        self.ledger.event(
            Kind.CLOSED,
            number,
            at,
            reason=close_reason(reason, detail),
            how=how,
            unread=unread,
            idle_s=idle_s,
        )

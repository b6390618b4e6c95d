"""One connection of the lab server: requests read and answered in turn, and its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import h11

from econnlab.record.events import CloseReason, Kind
from econnlab.scenario.server import CloseWith, Stage
from econnlab.server.idle_timers import IdleTimer
from econnlab.server.request import ServedRequest, Step
from econnlab.server.responses import OK, TOO_LARGE, UNAVAILABLE, Reply, error_bytes
from econnlab.server.service import Service
from econnlab.server.stream import READ_SIZE, Stream
from econnlab.server.tls import TlsSocket
from econnlab.system.clock import now
from econnlab.system.sockets import hold_back, unread_bytes

#: A client that pipelines is not read from while this much, or more, waits behind a request in progress.
_MOST_AHEAD = 65536
#: Pipelined requests that are answered before other connections and the idle timers get their turn.
_MOST_IN_A_TURN = 32
_REQUEST_TIMEOUT = 408
#: A lingering close waits this long for the client to end, as nginx's lingering_timeout.
_LINGER_S = 5.0


class ServedConnection:
    """Reads requests, answers them in order and closes when its time has come.

    ``forget`` is called with it once it is closed; ``refuse`` answers every request with 503 and closes.
    """

    __slots__ = (
        "_answering",
        "_delay",
        "_exchange",
        "_forget",
        "_last",
        "_lingering",
        "_refuse",
        "_service",
        "_stream",
        "_timer",
        "number",
        "requests",
    )

    def __init__(
        self,
        service: Service,
        sock: socket.socket | TlsSocket,
        number: int,
        forget: Callable[[ServedConnection], None],
        *,
        refuse: bool = False,
    ) -> None:
        self._service = service
        self.number = number
        self._forget = forget
        self._refuse = refuse
        #: How many have begun.
        self.requests = 0
        self._exchange: ServedRequest | None = None
        #: The request in progress was read whole, or needs no more of it to be answered.
        self._answering = False
        #: Ends the connection if nothing, or no whole head, comes.
        self._timer: IdleTimer | None = None
        self._delay: asyncio.TimerHandle | None = None
        #: The reason to close after the response in progress.
        self._last: CloseReason | None = None
        self._lingering = False
        self._stream = Stream(service.loop, sock, self)
        self._await_head()

    @property
    def method(self) -> str:
        """Of the request in progress; empty if none has been read, or the last one is answered."""
        request = self._exchange.request if self._exchange is not None else None
        return "" if request is None else request.method.decode("ascii")

    # -- reading --------------------------------------------------------------------------------

    def may_read(self) -> bool:
        """Called before each reading: a fault may strike, or TLS may have to be set up first."""
        return not self._strikes_unread() and self._secured()

    def _strikes_unread(self) -> bool:
        faults = self._service.faults_of(None)
        if self._exchange is not None or not faults.expects(Stage.UNREAD, self.requests + 1):
            return False
        if not unread_bytes(self._stream.sock):
            return False
        self.requests += 1
        self._stream.pause()
        return faults.strike(self, Stage.UNREAD)

    def _secured(self) -> bool:
        """Whether there may be something to read: TLS has been set up, or is not spoken."""
        sock = self._stream.sock
        if not isinstance(sock, TlsSocket) or sock.established:
            return True
        if self._service.faults_of(None).expects(Stage.HANDSHAKE, 1):
            sock.take(READ_SIZE)
            self.requests = 1
            self._stream.pause()
            self._service.faults_of(None).strike(self, Stage.HANDSHAKE)
            return False
        try:
            sock.shake_hands()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            detail = getattr(error, "reason", None) or error.strerror
            self.close(CloseReason.TLS_FAILED, detail=detail)
            return False
        self._service.ledger.event(Kind.HANDSHAKE, self.number)
        return True

    def on_data(self, data: bytes) -> None:
        """Take in what came, and answer what is whole."""
        if self._lingering:
            return
        if self._exchange is None:
            self._begin(ServedRequest(now()))
        assert self._exchange is not None
        self._exchange.feed(data)
        self._proceed()
        if self._exchange is not None and self._exchange.ahead >= _MOST_AHEAD:
            self._stream.pause()

    def _begin(self, exchange: ServedRequest) -> None:
        if self.requests:
            self._stop_timer()  # the idle timer; the first request's head is being waited for already
            self._await_head()
        self.requests += 1
        self._exchange = exchange

    def on_end_of_input(self) -> None:
        """A client may half-close after its request and still wants the answer (RFC 9112 section 9.6)."""
        if self._lingering:
            self.close(CloseReason.EARLY_RESPONSE)
        elif self._exchange is None:
            self.close(CloseReason.CLIENT_CLOSED)
        else:
            self._proceed()

    def _proceed(self) -> None:
        """Read and answer the requests that have come, until more must come or an answer takes its time."""
        for _ in range(_MOST_IN_A_TURN):
            exchange = self._exchange
            if exchange is None or self._answering or self._stream.closed or not self._read(exchange):
                return
        self._service.loop.call_soon(self._proceed)

    def _read(self, exchange: ServedRequest) -> bool:
        """Read on, and answer a request that is whole or too large; False if more must come."""
        try:
            while (step := exchange.step()) is not Step.INCOMPLETE:
                if self._stream.closed:
                    return False
                if step is Step.WHOLE:
                    self._on_request(exchange)
                    return True
                size = exchange.body
                if step is Step.HEAD:
                    self._stop_timer()
                    size = exchange.announced_size
                if self._too_large(exchange, size):
                    return True
                if step is Step.HEAD:
                    self._on_head(exchange)
        except h11.RemoteProtocolError as error:
            self._stream.send(error_bytes(error.error_status_hint))
            self.close(CloseReason.BAD_REQUEST)
        if self._stream.ended:
            self.close(CloseReason.CLIENT_CLOSED)
        return False

    def _on_head(self, exchange: ServedRequest) -> None:
        if exchange.framed_twice:  # answered, and closed after that (RFC 9112 section 6.1)
            self._last = CloseReason.CONNECTION_CLOSE
        self._stream.send(exchange.go_on())

    # -- answering ------------------------------------------------------------------------------

    def _too_large(self, exchange: ServedRequest, size: int) -> bool:
        """Answer 413 before the body has been read, and close: at once, or when the client has ended."""
        limit = self._service.spec.max_body
        if limit is None or size <= limit:
            return False
        self._answering = True
        self._last = CloseReason.EARLY_RESPONSE
        self._lingering = self._service.spec.lingering_close
        self._respond(exchange, TOO_LARGE)
        return True

    def _on_request(self, exchange: ServedRequest) -> None:
        service = self._service
        self._answering = True
        service.ledger.event(Kind.REQUEST, self.number, **exchange.described())
        if self._refuse:
            self._last = CloseReason.OVER_CAPACITY
            self._respond(exchange, UNAVAILABLE)
            return
        if service.faults_of(exchange.head).strike(self, Stage.READ):
            return
        answer = service.answer_to(exchange.head)
        if answer.status == OK and not self._carry_out(exchange):
            return
        if delay_s := service.delay_s(exchange.head):
            self._delay = service.loop.call_later(delay_s, self._respond_late, exchange, answer)
        else:
            self._respond(exchange, answer)

    def _carry_out(self, exchange: ServedRequest) -> bool:
        """Whether an answer follows. A request whose key was carried out before is only answered."""
        service = self._service
        if service.carried is not None and service.carried.before(exchange.head):
            service.ledger.event(Kind.REPLAYED, self.number, request_id=exchange.request_id)
            return True
        service.ledger.event(Kind.PROCESSED, self.number, request_id=exchange.request_id)
        return not service.faults_of(exchange.head).strike(self, Stage.PROCESSED)

    def _respond_late(self, exchange: ServedRequest, answer: Reply) -> None:
        self._delay = None
        self._respond(exchange, answer)
        self._proceed()

    def _respond(self, exchange: ServedRequest, answer: Reply) -> None:
        spec, faults = self._service.spec, self._service.faults_of(exchange.request)
        self._last = self._last or self._service.last_request(self.requests)
        hidden = self._last is CloseReason.MAX_REQUESTS and not spec.announce_last
        head, body = exchange.answer(spec, answer, last=self._last is not None and not hidden)
        for stage, size in (
            (Stage.HALF_HEAD, len(head) // 2),
            (Stage.HALF_BODY, len(head) + len(body) // 2),
        ):
            if faults.expects(stage, self.requests, self.method):
                self._cut(exchange, (head + body)[:size], answer.status, stage)
                return
        if faults.follows_at_once(self.requests):
            hold_back(self._stream.sock)
        self._stream.send(head + body)
        if self._stream.closed:
            return
        size = len(head) + len(body)
        if self._stream.waiting:  # The kernel's buffer is full: the response ends when the rest has gone.
            self._stream.then(lambda: self._after_late_response(exchange, answer.status, size))
        else:
            self._after_response(exchange, answer.status, size)

    def _cut(self, exchange: ServedRequest, part: bytes, status: int, stage: Stage) -> None:
        self._stream.send(part)
        if self._stream.closed:
            return
        handed_over = len(part) - self._stream.waiting
        request_id = exchange.request_id
        self._service.ledger.event(
            Kind.PARTIAL, self.number, request_id=request_id, status=status, bytes=handed_over
        )
        self._service.faults_of(exchange.request).strike(self, stage)

    def _after_late_response(self, exchange: ServedRequest, status: int, size: int) -> None:
        self._after_response(exchange, status, size)
        self._proceed()

    def _after_response(self, exchange: ServedRequest, status: int, size: int) -> None:
        service, request_id, ahead = self._service, exchange.request_id, exchange.ahead
        service.ledger.event(Kind.RESPONSE, self.number, request_id=request_id, status=status, bytes=size)
        if self._lingering:
            self._linger()
            return
        if self._stream.ended and not ahead:
            self._last = CloseReason.CLIENT_CLOSED
        if self._last is not None or exchange.must_close:
            self.close(self._last or CloseReason.CONNECTION_CLOSE)
            return
        self._exchange, self._answering = None, False
        if service.faults_of(exchange.request).strike(self, Stage.ANSWERED):
            return
        if ahead:
            self._begin(exchange.following(now()))
        else:
            self._timer = service.idle_timers.start(service.idle_timeout_s, self._on_idle_timeout)
        if ahead < _MOST_AHEAD:
            self._stream.resume()

    def _linger(self) -> None:
        """Say that no more will come, and read on until the client ends or its time has passed."""
        try:
            self._stream.sock.shutdown(socket.SHUT_WR)
        except OSError as error:  # ENOTCONN: the client's RST has come
            self.on_error(error)
            return
        self._timer = self._service.idle_timers.start(
            _LINGER_S, lambda _: self.close(CloseReason.EARLY_RESPONSE)
        )

    # -- ending ---------------------------------------------------------------------------------

    def fall_silent(self) -> None:
        """Stay open, and neither read nor say anything more; what was handed over before still goes."""
        if not self._stream.closed:
            self._still()
            self._answering = True

    def _still(self) -> None:
        """Nothing calls it any more."""
        self._stop_timer()
        if self._delay is not None:
            self._delay.cancel()
        self._stream.still()

    def close_soon(self, reason: CloseReason) -> None:
        """Close after the response in progress; at once if there is none."""
        if self._exchange is None:
            self.close(reason)
        else:
            self._last = self._last or reason

    def _await_head(self) -> None:
        service = self._service
        if service.header_timeout_s is not None:
            self._timer = service.idle_timers.start(service.header_timeout_s, self._on_head_timeout)

    def _on_head_timeout(self, timer: IdleTimer) -> None:
        if self._service.spec.answer_408:
            self._stream.send(error_bytes(_REQUEST_TIMEOUT))
        self.close(CloseReason.HEADER_TIMEOUT, idle_s=now() - timer.started)

    def _on_idle_timeout(self, timer: IdleTimer) -> None:
        at = now()
        self._service.ledger.event(
            Kind.IDLE_TIMEOUT, self.number, at, due=timer.due, idle_s=at - timer.started
        )
        self.close(CloseReason.IDLE_TIMEOUT)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._service.idle_timers.cancel(self._timer)
            self._timer = None

    def on_error(self, error: OSError) -> None:
        """The client has reset the connection, or its machine is gone."""
        self.close(CloseReason.CLIENT_RESET, detail=error.strerror)

    def close(
        self,
        reason: CloseReason,
        close_with: CloseWith | None = None,
        *,
        detail: str | None = None,
        idle_s: float | None = None,
    ) -> None:
        """close(2) at once: FIN, or RST if bytes are unread or ``close_with`` says so."""
        if self._stream.closed:
            return
        self._still()
        self._service.close(self._stream.sock, self.number, reason, close_with, detail=detail, idle_s=idle_s)
        self._exchange = None
        self._forget(self)

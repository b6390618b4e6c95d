"""One connection of the lab server: bytes to requests to responses, and its end."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from typing import TYPE_CHECKING

import h11

from econnlab.record.events import Kind
from econnlab.scenario.server import Stage
from econnlab.server.closing import close_socket
from econnlab.server.idle_timers import IdleTimer
from econnlab.server.responses import (
    OK,
    TOO_LARGE,
    UNAVAILABLE,
    Answer,
    error_bytes,
    is_keyed,
    request_id_of,
    response_bytes,
)
from econnlab.server.tls import FAILED as TLS_FAILED
from econnlab.server.tls import TlsSocket
from econnlab.system.clock import now
from econnlab.system.sockets import hold_back, unread_bytes

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

_READ_SIZE = 65536
_REQUEST_TIMEOUT = 408
#: A lingering close waits this long for the client to end, as nginx's lingering_timeout.
_LINGER_S = 5.0


class ServedConnection:
    """Reads requests, answers them in order and closes when its time has come.

    The h11 state lives only while a request is in progress: an idle connection must stay small,
    for thousands are held at once.
    """

    __slots__ = (
        "_began",
        "_body",
        "_delay",
        "_digest",
        "_h11",
        "_last",
        "_lingering",
        "_out",
        "_peer_closed",
        "_request",
        "_server",
        "_sock",
        "_timer",
        "number",
        "refuse",
        "requests",
    )

    def __init__(
        self, server: LabServer, sock: socket.socket | TlsSocket, number: int, *, refuse: bool = False
    ) -> None:
        self._server = server
        self._sock = sock
        self.number = number
        #: Answer every request with 503 and close (when_full/unavailable).
        self.refuse = refuse
        #: How many have begun.
        self.requests = 0
        self._h11: h11.Connection | None = None
        self._request: h11.Request | None = None
        self._began = 0.0
        self._body = 0
        #: Of the body that has come so far.
        self._digest: hashlib.blake2b | None = None
        self._out = memoryview(b"")
        #: What ends it: idleness, or a head that does not come.
        self._timer: IdleTimer | None = None
        self._delay: asyncio.TimerHandle | None = None
        self._peer_closed = False
        #: The reason to close after the response in progress.
        self._last: str | None = None
        self._lingering = False
        server.loop.add_reader(sock, self._on_readable)
        self._await_head()

    @property
    def idle(self) -> bool:
        """Between two requests."""
        return self._h11 is None

    @property
    def method(self) -> str:
        """Of the request in progress; empty where none has been read, or the last one is answered."""
        return "" if self._request is None else self._request.method.decode("ascii")

    # -- reading --------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        waiting = self._h11 is None and self._server.faults.expects(Stage.UNREAD, self.requests + 1)
        if waiting and unread_bytes(self._sock):
            self.requests += 1
            self._server.faults.strike(self, Stage.UNREAD)
            return
        if isinstance(self._sock, TlsSocket) and not self._sock.established and not self._shake_hands():
            return
        while True:
            try:
                data = self._sock.recv(_READ_SIZE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.close(f"client_reset: {error.strerror}")
                return
            if not data:
                self._on_end_of_input()
            elif not self._lingering:
                self._on_data(data)
            if self._closed or not isinstance(self._sock, TlsSocket) or not self._sock.pending():
                return

    def _shake_hands(self) -> bool:
        """Whether TLS stands, so that there may be something to read."""
        assert isinstance(self._sock, TlsSocket)
        if self._server.faults.expects(Stage.HANDSHAKE, 1):
            self._sock.take(_READ_SIZE)
            self.requests = 1
            self._server.faults.strike(self, Stage.HANDSHAKE)
            return False
        try:
            self._sock.shake_hands()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.close(f"{TLS_FAILED}: {getattr(error, 'reason', None) or error.strerror}")
            return False
        self._server.ledger.event(Kind.HANDSHAKE, self.number)
        return True

    def _on_data(self, data: bytes) -> None:
        if self._h11 is None:
            if self.requests:
                self._stop_timer()  # the idle timer; a first request is under the head's already
                self._await_head()
            self.requests += 1
            self._began = now()
            self._body = 0
            self._digest = None
            self._h11 = h11.Connection(h11.SERVER)
        self._h11.receive_data(data)
        if self._request is None or self._h11.their_state is not h11.DONE:
            self._read_events()

    def _on_end_of_input(self) -> None:
        # A client may half-close after its request and still wants the answer (RFC 9112 section 9.6).
        self._peer_closed = True
        self._server.loop.remove_reader(self._sock)
        if self._lingering:
            self.close("early_response")
        elif self._request is None or (self._h11 is not None and self._h11.their_state is not h11.DONE):
            self.close("client_closed")

    def _read_events(self) -> None:
        assert self._h11 is not None
        try:
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.Request):
                    self._stop_timer()
                    self._request = event
                    if self._too_large(_content_length(event)):
                        return
                    if self._h11.they_are_waiting_for_100_continue:
                        self._send(
                            self._h11.send(
                                h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                            )
                            or b""
                        )
                elif isinstance(event, h11.Data):
                    self._take_body(event.data)
                    if self._too_large(self._body):
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._on_request()
                    return
                else:
                    return
        except h11.RemoteProtocolError as error:
            self._send(error_bytes(error.error_status_hint))
            self.close("bad_request")

    def _take_body(self, data: bytes) -> None:
        self._body += len(data)
        if self._digest is None:
            self._digest = hashlib.blake2b(digest_size=8)
        self._digest.update(data)

    def _too_large(self, size: int) -> bool:
        """Answer 413 before the body has been read, and close: at once, or when the client has ended."""
        limit = self._server.spec.max_body
        if limit is None or size <= limit:
            return False
        self._last = "early_response"
        self._lingering = self._server.spec.lingering_close
        self._respond(TOO_LARGE)
        return True

    # -- answering ------------------------------------------------------------------------------

    def _on_request(self) -> None:
        assert self._request is not None
        server = self._server
        server.ledger.event(
            Kind.REQUEST,
            self.number,
            began=self._began,
            request_id=self._request_id(),
            method=self.method,
            target=self._request.target.decode("latin-1"),
            bytes=self._body,
            digest=self._digest.hexdigest() if self._digest is not None else None,
            keyed=True if is_keyed(self._request) else None,
        )
        if self.refuse:
            self._last = "over_capacity"
            self._respond(UNAVAILABLE)
            return
        if server.faults.strike(self, Stage.READ):
            return
        answer = server.answer_to(self._request)
        if answer.status == OK and not self._carry_out():
            return
        if server.response_delay_s:
            self._delay = server.loop.call_later(server.response_delay_s, self._respond, answer)
        else:
            self._respond(answer)

    def _carry_out(self) -> bool:
        """Whether an answer follows. What was carried out before, by its key, is answered only."""
        server = self._server
        assert self._request is not None
        if server.carried is not None and server.carried.before(self._request):
            server.ledger.event(Kind.REPLAYED, self.number, request_id=self._request_id())
            return True
        server.ledger.event(Kind.PROCESSED, self.number, request_id=self._request_id())
        return not server.faults.strike(self, Stage.PROCESSED)

    def _respond(self, answer: Answer) -> None:
        assert self._h11 is not None and self._request is not None
        self._delay = None
        spec, status = self._server.spec, answer.status
        if self._last is None:
            self._last = self._server.last_request(self)
        announced = self._last is not None and (self._last != "max_requests" or spec.announce_last)
        head, body = response_bytes(self._h11, self._request, spec, answer, last=announced)
        for stage, size in (
            (Stage.HALF_HEAD, len(head) // 2),
            (Stage.HALF_BODY, len(head) + len(body) // 2),
        ):
            if self._server.faults.expects(stage, self.requests, self.method):
                self._cut((head + body)[:size], status, stage)
                return
        request_id = self._request_id()
        if self._server.faults.follows_at_once(self.requests):
            hold_back(self._sock)
        self._send(head + body)
        if self._closed:
            return
        size = len(head) + len(body)
        if self._out:  # The kernel's buffer is full: the response ends when the rest has gone.
            self._server.loop.add_writer(self._sock, self._send_rest, request_id, status, size)
        else:
            self._after_response(request_id, status, size)

    def _cut(self, part: bytes, status: int, stage: Stage) -> None:
        self._send(part)
        self._server.ledger.event(
            Kind.PARTIAL,
            self.number,
            request_id=self._request_id(),
            status=status,
            bytes=len(part) - len(self._out),
        )
        self._server.faults.strike(self, stage)

    def _send_rest(self, request_id: str | None, status: int, size: int) -> None:
        self._send(self._out)
        if not self._closed and not self._out:
            self._server.loop.remove_writer(self._sock)
            self._after_response(request_id, status, size)

    def _after_response(self, request_id: str | None, status: int, size: int) -> None:
        assert self._h11 is not None
        server = self._server
        server.ledger.event(Kind.RESPONSE, self.number, request_id=request_id, status=status, bytes=size)
        if self._lingering:
            self._linger()
            return
        if self._last is not None or self._h11.our_state is not h11.DONE or self._peer_closed:
            self.close("client_closed" if self._peer_closed else self._last or "connection_close")
            return
        next_request = self._h11.trailing_data[0]
        self._h11 = None
        self._request = None
        self._timer = server.idle_timers.start(server.idle_timeout_s, self._on_idle_timeout)
        if server.faults.strike(self, Stage.ANSWERED):
            return
        if next_request:
            self._on_data(next_request)

    def _linger(self) -> None:
        """Say that no more will come, and read on until the client ends or its time has passed."""
        self._sock.shutdown(socket.SHUT_WR)
        self._timer = self._server.idle_timers.start(_LINGER_S, lambda _: self.close("early_response"))

    def _request_id(self) -> str | None:
        assert self._request is not None
        return request_id_of(self._request)

    def _send(self, data: bytes | memoryview) -> None:
        """Hand over what the kernel takes now; the rest stays in ``_out``."""
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self.close(f"client_reset: {error.strerror}")
            return
        self._out = memoryview(data)[sent:]

    # -- ending ---------------------------------------------------------------------------------

    def fall_silent(self) -> None:
        """Stay open, and neither read nor say anything more; what was handed over before still goes."""
        self._stop_timer()
        self._server.loop.remove_reader(self._sock)

    def close_soon(self, reason: str) -> None:
        """Close after the response in progress; at once where there is none."""
        if self.idle:
            self.close(reason)
        else:
            self._last = self._last or reason

    def _await_head(self) -> None:
        if self._server.header_timeout_s is not None:
            self._timer = self._server.idle_timers.start(self._server.header_timeout_s, self._on_head_timeout)

    def _on_head_timeout(self, timer: IdleTimer) -> None:
        if self._server.spec.answer_408:
            self._send(error_bytes(_REQUEST_TIMEOUT))
        self.close("header_timeout", idle_s=now() - timer.started)

    def _on_idle_timeout(self, timer: IdleTimer) -> None:
        at = now()
        self._server.ledger.event(
            Kind.IDLE_TIMEOUT, self.number, at, due=timer.due, idle_s=at - timer.started
        )
        self.close("idle_timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _closed(self) -> bool:
        return self._sock.fileno() < 0

    def close(self, reason: str, close_with: str | None = None, idle_s: float | None = None) -> None:
        """close(2) at once: FIN, or RST where bytes are unread or ``close_with`` says so."""
        if self._closed:
            return
        self._stop_timer()
        if self._delay is not None:
            self._delay.cancel()
        self._server.loop.remove_reader(self._sock)
        self._server.loop.remove_writer(self._sock)
        close_socket(
            self._server.ledger,
            self._sock,
            self.number,
            reason,
            close_with or self._server.spec.close_with,
            idle_s,
        )
        self._server.forget(self)


def _content_length(request: h11.Request) -> int:
    return next((int(value) for name, value in request.headers if name == b"content-length"), 0)

"""One connection of the lab server: bytes to requests to responses, and its end."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import h11

from econnlab.clock import now
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.server.idle_timers import IdleTimer
from econnlab.server.responses import REQUEST_ID, error_bytes, response_bytes
from econnlab.sockets import reset_on_close, unread_bytes

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

_READ_SIZE = 65536


class ServedConnection:
    """Reads requests, answers them in order and closes when its time has come.

    The h11 state lives only while a request is in progress: an idle connection must stay small,
    for thousands are held at once.
    """

    __slots__ = (
        "_began",
        "_body",
        "_delay",
        "_h11",
        "_idle",
        "_out",
        "_peer_closed",
        "_request",
        "_server",
        "_sock",
        "number",
        "refuse",
    )

    def __init__(self, server: LabServer, sock: socket.socket, number: int, *, refuse: bool = False) -> None:
        self._server = server
        self._sock = sock
        self.number = number
        #: Answer every request with 503 and close (when_full/unavailable).
        self.refuse = refuse
        self._h11: h11.Connection | None = None
        self._request: h11.Request | None = None
        self._began = 0.0
        self._body = 0
        self._out = memoryview(b"")
        self._idle: IdleTimer | None = None
        self._delay: asyncio.TimerHandle | None = None
        self._peer_closed = False
        server.loop.add_reader(sock, self._on_readable)

    # -- reading --------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(_READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(f"client_reset: {error.strerror}")
            return
        if data:
            self._on_data(data)
        else:
            self._on_end_of_input()

    def _on_data(self, data: bytes) -> None:
        if self._h11 is None:
            self._stop_idle_timer()
            self._began = now()
            self._body = 0
            self._h11 = h11.Connection(h11.SERVER)
        self._h11.receive_data(data)
        if self._request is None or self._h11.their_state is not h11.DONE:
            self._read_events()

    def _on_end_of_input(self) -> None:
        # A client may half-close after its request and still wants the answer (RFC 9112 section 9.6).
        self._peer_closed = True
        self._server.loop.remove_reader(self._sock)
        if self._request is None or (self._h11 is not None and self._h11.their_state is not h11.DONE):
            self.close("client_closed")

    def _read_events(self) -> None:
        assert self._h11 is not None
        try:
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.Request):
                    self._request = event
                    if self._h11.they_are_waiting_for_100_continue:
                        self._send(
                            self._h11.send(
                                h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                            )
                            or b""
                        )
                elif isinstance(event, h11.Data):
                    self._body += len(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self._on_request()
                    return
                else:
                    return
        except h11.RemoteProtocolError as error:
            self._send(error_bytes(error.error_status_hint))
            self.close("bad_request")

    # -- answering ------------------------------------------------------------------------------

    def _on_request(self) -> None:
        assert self._request is not None
        self._server.ledger.event(
            Kind.REQUEST,
            self.number,
            began=self._began,
            request_id=self._request_id(),
            method=self._request.method.decode("ascii"),
            bytes=self._body,
        )
        if self._server.response_delay_s and not self.refuse:
            self._delay = self._server.loop.call_later(self._server.response_delay_s, self._respond)
        else:
            self._respond()

    def _respond(self) -> None:
        assert self._h11 is not None and self._request is not None
        self._delay = None
        status, data = response_bytes(self._h11, self._request, self._server.spec, refuse=self.refuse)
        request_id = self._request_id()
        self._send(data)
        if self._closed:
            return
        if self._out:  # The kernel's buffer is full: the response ends when the rest has gone.
            self._server.loop.add_writer(self._sock, self._send_rest, request_id, status, len(data))
        else:
            self._after_response(request_id, status, len(data))

    def _send_rest(self, request_id: str | None, status: int, size: int) -> None:
        self._send(self._out)
        if not self._closed and not self._out:
            self._server.loop.remove_writer(self._sock)
            self._after_response(request_id, status, size)

    def _after_response(self, request_id: str | None, status: int, size: int) -> None:
        assert self._h11 is not None
        self._server.ledger.event(
            Kind.RESPONSE, self.number, request_id=request_id, status=status, bytes=size
        )
        keep = self._h11.our_state is h11.DONE and not self._peer_closed
        if not keep:
            self.close("client_closed" if self._peer_closed else "connection_close")
            return
        next_request = self._h11.trailing_data[0]
        self._h11 = None
        self._request = None
        self._idle = self._server.idle_timers.start(self._server.idle_timeout_s, self._on_idle_timeout)
        if next_request:
            self._on_data(next_request)

    def _request_id(self) -> str | None:
        assert self._request is not None
        for name, value in self._request.headers:
            if name == REQUEST_ID:
                return value.decode("ascii", "replace")
        return None

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

    def _on_idle_timeout(self, timer: IdleTimer) -> None:
        at = now()
        self._server.ledger.event(
            Kind.IDLE_TIMEOUT, self.number, at, due=timer.due, idle_s=at - timer.started
        )
        self.close("idle_timeout")

    def _stop_idle_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    @property
    def _closed(self) -> bool:
        return self._sock.fileno() < 0

    def close(self, reason: str) -> None:
        """close(2) at once: FIN, or RST where bytes are unread or the server closes with RST."""
        if self._closed:
            return
        self._stop_idle_timer()
        if self._delay is not None:
            self._delay.cancel()
        self._server.loop.remove_reader(self._sock)
        self._server.loop.remove_writer(self._sock)
        close_socket(self._server.ledger, self._sock, self.number, reason, self._server.spec.close_with)
        self._server.forget(self)


def close_socket(ledger: Ledger, sock: socket.socket, number: int, reason: str, close_with: str) -> None:
    """Close ``sock`` and enter how it ended: tcp_close() answers unread bytes with RST (RFC 2525 2.17)."""
    if close_with == "rst":
        reset_on_close(sock)
    unread = unread_bytes(sock)
    at = now()
    sock.close()
    how = "rst" if unread or close_with == "rst" else "fin"
    ledger.event(Kind.CLOSED, number, at, reason=reason, how=how, unread=unread)

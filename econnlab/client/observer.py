"""One session's witness: gathers what its connections tell into attempts."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.client.outcome import failure_of
from econnlab.client.witness import Witness, Witnessed
from econnlab.record.attempts import Attempt, Outcome
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.durations import seconds
from econnlab.system.clock import now
from econnlab.system.sockets import errno_name

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

    from econnlab.client.observed import ObservedConnection

FIRST_ERROR_STATUS = 400


class _AttemptInProgress:
    """What is known of an attempt before it has ended."""

    def __init__(
        self, connection: ObservedConnection | None, planned: float | None, patience_s: float
    ) -> None:
        self.planned = planned
        self.began = now()
        self.witness = Witness(self.began + patience_s)
        self.connection = connection
        self.reused = (
            connection is not None and connection.sock is not None and connection.idle_since is not None
        )
        self.idle_since = connection.idle_since if connection is not None and self.reused else None
        self.number = connection.number if connection is not None and self.reused else None
        self.local = connection.local if connection is not None and self.reused else None
        self.error: BaseException | None = None
        self.failed_at: float | None = None
        self.send_errno: str | None = None
        self.was_blocked = False
        self.status: int | None = None
        self.keep_alive: str | None = None
        self.connection_header: str | None = None
        self.retry_after: str | None = None
        #: A connection stands, or stood when it began.
        self.connected = self.reused

    @property
    def over(self) -> bool:
        """It has an error or a response; another one may begin."""
        return self.error is not None or self.status is not None


@dataclass(frozen=True)
class Tried:
    """An attempt that has ended, and what a retry policy asks of it beside the record."""

    attempt: Attempt
    #: A byte of the request was handed to the kernel.
    sent: bool
    #: A connection came about.
    connected: bool
    #: The response's ``Retry-After``.
    retry_after: str | None


class Observer:
    """Hears of every step of one session's connections, and holds a request back until it is due."""

    def __init__(self, row: int, session: int, dial: tuple[str, int], spec: ClientSpec) -> None:
        self.stale_check = spec.stale_check
        self._blocked_s = seconds(spec.blocked_ms)
        self._patience_s = seconds(spec.timeout_ms)
        #: Where connections really go: the link's address, or the server's own.
        self.dial = dial
        self._row = row
        self._session = session
        self._request = 0
        self._request_id = ""
        self._method = ""
        self._due: float | None = None
        self._planned: float | None = None
        self._current: _AttemptInProgress | None = None
        self._finished: list[Attempt] = []
        self._sockets: dict[int, socket.socket] = {}
        self._aborted = threading.Event()
        self.pool_order = spec.pool_order
        #: Ask on an idle connection before it is reused.
        self.pings = spec.ping
        #: Probes of TCP's own after so many seconds without a packet.
        self.tcp_keepalive_s = None if spec.tcp_keepalive_ms is None else int(spec.tcp_keepalive_ms // 1000)

    # -- a request ------------------------------------------------------------------------------

    def begin_request(self, request: int, request_id: str, method: str, due: float) -> None:
        """The session will now send its ``request``-th request, not before ``due``."""
        self._request, self._request_id, self._method = request, request_id, method
        self._due = self._planned = due
        self._current = None
        self._finished = []

    def end_attempt(self, error: BaseException | None) -> Tried:
        """The client has returned, or raised ``error``: what became of its last attempt."""
        if self._current is None:
            self._current = _AttemptInProgress(None, self._planned, self._patience_s)
        if error is not None:
            self._current.error = error
            self._current.failed_at = self._current.failed_at or now()
        self._close_attempt()
        current, self._current = self._current, None
        return Tried(
            self._finished[-1], current.witness.handed_over > 0, current.connected, current.retry_after
        )

    def end_request(self) -> tuple[Attempt, ...]:
        """Nothing more is tried: the attempts the request took."""
        finished, self._finished = self._finished, []
        return tuple(finished)

    @property
    def status(self) -> int | None:
        """Of the response to the attempt in progress, as soon as its head has been read."""
        return None if self._current is None else self._current.status

    def wait(self, delay_s: float) -> bool:
        """Wait before another try; whether the session has been aborted meanwhile."""
        return self._aborted.wait(delay_s)

    def give(self, timeout_s: float) -> None:
        """Attempts from now on have this long, in seconds."""
        self._patience_s = timeout_s

    def hold(self) -> None:
        """Wait until the request is due: once, at the point where the client takes up a connection."""
        due, self._due = self._due, None
        if due is not None and (left := due - now()) > 0:
            time.sleep(left)

    def block(self) -> None:
        """Be blocked with a connection in hand, once an attempt, for the time of ClientSpec.blocked_ms."""
        current = self._current
        if self._blocked_s and current is not None and not current.was_blocked:
            current.was_blocked = True
            time.sleep(self._blocked_s)  # the very thing to show

    # -- its attempts ---------------------------------------------------------------------------

    def begin_attempt(self, connection: ObservedConnection) -> None:
        """``connection`` begins to connect or to send; both belong to the same attempt."""
        if self._current is not None and not self._current.over:
            return
        if self._current is not None:
            self._close_attempt()
        self._current = _AttemptInProgress(connection, self._planned, self._patience_s)
        self._planned = None
        if connection.sock is not None:
            self._witness_on(connection.sock)

    def on_socket(self, connection: ObservedConnection, sock: socket.socket) -> None:
        """A new socket has an address, and may be connected."""
        assert self._current is not None and connection.number is not None
        self._current.number = connection.number
        self._current.local = connection.local
        self._sockets[connection.number] = sock
        self._witness_on(sock)
        if self._aborted.is_set():
            self.abort()

    def on_connected(self, connection: ObservedConnection) -> None:
        """The connection stands; with TLS, on a socket that has taken the first one's place."""
        if self._current is not None:
            self._current.connected = True
        if connection.number in self._sockets and connection.sock is not None:
            self._sockets[connection.number] = connection.sock
            self._witness_on(connection.sock)

    def _witness_on(self, sock: socket.socket) -> None:
        assert self._current is not None
        if isinstance(sock, Witnessed):
            sock.witness = self._current.witness

    def on_response(self, response: BaseHTTPResponse) -> None:
        """The head of a response has been read."""
        assert self._current is not None
        self._current.error = None
        self._current.failed_at = None
        self._current.status = response.status
        self._current.keep_alive = response.headers.get("Keep-Alive")
        self._current.connection_header = response.headers.get("Connection")
        self._current.retry_after = response.headers.get("Retry-After")

    @contextlib.contextmanager
    def failures(self, *, sending: bool = False) -> Iterator[None]:
        """Keep what a step raised; urllib3 may try again, or pass over it and read (EPIPE on sending)."""
        try:
            yield
        except BaseException as error:
            current = self._current
            if current is not None:
                current.error = error
                current.failed_at = now()
                if (
                    sending
                    and current.witness.sent is not None
                    and isinstance(error, OSError)
                    and error.errno
                ):
                    current.send_errno = errno_name(error.errno)
            raise

    def _close_attempt(self) -> None:
        current = self._current
        assert current is not None
        witness = current.witness
        ended = current.failed_at or witness.last_byte or now()
        if current.error is not None and current.number is not None:
            if current.connection is not None:
                current.connection.close()  # or its pool would take it up again, with a closed socket inside
            self._close_socket(current.number)
        elif current.connection is not None:
            current.connection.idle_since = ended
        self._finished.append(self._attempt(current, ended))

    def _attempt(self, current: _AttemptInProgress, ended: float) -> Attempt:
        witness = current.witness
        outcome, errno, chain = Outcome.OK, None, ""
        if current.error is not None:
            failure = failure_of(
                current.error, response_began=witness.first_byte is not None, saw_eof=witness.saw_eof
            )
            outcome, errno, chain = failure.outcome, failure.errno, failure.chain
        if outcome in (Outcome.OK, Outcome.OTHER) and (current.status or 0) >= FIRST_ERROR_STATUS:
            outcome = Outcome.HTTP_ERROR  # OTHER is a retry policy that gave up on the status
        idle = (
            None if current.idle_since is None or witness.sent is None else witness.sent - current.idle_since
        )
        return Attempt(
            row=self._row,
            session=self._session,
            request=self._request,
            number=len(self._finished) + 1,
            request_id=self._request_id,
            method=self._method,
            planned=current.planned,
            began=current.began,
            sent=witness.sent,
            first_byte=witness.first_byte,
            ended=ended,
            connection=current.number,
            local=current.local,
            reused=current.reused,
            idle_s=idle,
            outcome=outcome,
            status=current.status,
            bytes_read=witness.bytes_read,
            error=chain,
            errno=errno,
            send_errno=current.send_errno,
            keep_alive=current.keep_alive,
            connection_header=current.connection_header,
        )

    # -- the end --------------------------------------------------------------------------------

    def abort(self) -> None:
        """Make whatever the session waits for, or will wait for, return at once."""
        self._aborted.set()
        for sock in list(self._sockets.values()):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Really close every connection of the session."""
        for number in list(self._sockets):
            self._close_socket(number)

    def _close_socket(self, number: int) -> None:
        # urllib3 2.8.0 leaves the socket of a failed attempt open until it is garbage collected, for the
        # exception's traceback holds the response, which holds the socket's file.
        sock = self._sockets.pop(number, None)
        if sock is not None and sock.fileno() >= 0:
            os.close(sock.detach())

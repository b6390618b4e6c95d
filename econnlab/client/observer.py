"""One session's observer: it turns the steps that a client's connections report into attempts.

econnlab/client/kinds/__init__.py lists the steps that a client must report.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from econnlab.client.unfinished import ClientConnection, RequestName, UnfinishedAttempt
from econnlab.client.witness import ObservedSocket, report_to
from econnlab.record.attempts import Attempt
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.durations import seconds
from econnlab.system.clock import now
from econnlab.system.sockets import address, errno_name, probe_idle

_HEADERS = frozenset({"keep-alive", "connection", "retry-after"})
_connection_numbers = itertools.count(1)


@dataclass(frozen=True)
class Tried:
    """An attempt that has ended, with what a retry policy needs beside the record."""

    attempt: Attempt
    #: The kernel has taken a byte of the request.
    sent: bool
    #: A connection was established.
    connected: bool
    #: The response's ``Retry-After``.
    retry_after: str | None


class Observer:
    """Records every step of one session's connections, and holds each request back until it is due."""

    def __init__(self, row: int, session: int, dial: tuple[str, int], spec: ClientSpec) -> None:
        self.spec = spec
        #: Where connections really go: the link's address, or the server's.
        self._dial = dial
        self._blocked_s = seconds(spec.blocked_ms)
        self._patience_s = seconds(spec.timeout_ms)
        self._name = RequestName(row, session)
        self._due: float | None = None
        self._planned: float | None = None
        self._current: UnfinishedAttempt | None = None
        self._finished: list[Attempt] = []
        self._sockets: dict[int, socket.socket] = {}
        self._aborted = threading.Event()

    # -- what the session calls -------------------------------------------------------------------

    def begin_request(self, request: int, request_id: str, method: str, due: float) -> None:
        """The session will now send its ``request``-th request, not before ``due``."""
        self._name = replace(self._name, number=request, id=request_id, method=method)
        self._due = self._planned = due
        self._current = None
        self._finished = []

    def end_attempt(self, error: BaseException | None) -> Tried:
        """The client has returned, or raised ``error``. Returns its last attempt."""
        current = self._current or UnfinishedAttempt(None, self._planned, self._patience_s)
        if error is not None:
            current.error = error
            current.failed_at = current.failed_at or now()
        self._finish(current)
        self._current = None
        sent = current.witness.handed_over > 0
        return Tried(self._finished[-1], sent, current.connected, current.headers.get("retry-after"))

    def end_request(self) -> tuple[Attempt, ...]:
        """The attempts that the request took; no other attempt follows."""
        finished, self._finished = self._finished, []
        return tuple(finished)

    @property
    def status(self) -> int | None:
        """The status of the response to the attempt in progress, as soon as its head has been read."""
        return None if self._current is None else self._current.status

    def wait(self, delay_s: float) -> bool:
        """Wait before another attempt. Returns whether the session was aborted meanwhile."""
        return self._aborted.wait(delay_s)

    def give(self, timeout_s: float) -> None:
        """Give each attempt from now on this long, in seconds."""
        self._patience_s = timeout_s

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

    # -- what the client reports ------------------------------------------------------------------

    def hold(self) -> None:
        """Wait until the request is due. Only the first call for a request waits."""
        due, self._due = self._due, None
        if due is not None and (left := due - now()) > 0:
            time.sleep(left)

    def begin_attempt(self, connection: ClientConnection) -> None:
        """``connection`` begins to connect or to send; both belong to the same attempt."""
        if self._current is not None:
            if not self._current.over:
                return
            self._finish(self._current)
        self._current = UnfinishedAttempt(connection, self._planned, self._patience_s)
        self._planned = None
        if connection.sock is not None:
            report_to(self._current.witness, connection.sock)

    def open_socket(
        self,
        connection: ClientConnection,
        timeout_s: float | None,
        options: Iterable[tuple[int, int, int | bytes]] = (),
    ) -> ObservedSocket:
        """A socket for ``connection``, connected to the server or the link. Raises OSError.

        The observer knows it even if connect(2) fails: on a busy machine, an RST can come before connect(2)
        returns, which then raises ECONNRESET.
        """
        sock = ObservedSocket(socket.AF_INET6 if ":" in self._dial[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            for option in options:
                sock.setsockopt(*option)
            if self.spec.tcp_keepalive_ms is not None:
                probe_idle(sock, int(self.spec.tcp_keepalive_ms // 1000))
            sock.settimeout(timeout_s)
            sock.connect(self._dial)
        finally:
            self._on_socket(connection, sock)
        return sock

    def on_connected(self, connection: ClientConnection) -> None:
        """The connection is established. With TLS, its socket has replaced the one of ``open_socket``."""
        if self._current is not None:
            self._current.connected = True
            if connection.number in self._sockets and connection.sock is not None:
                self._sockets[connection.number] = connection.sock
                report_to(self._current.witness, connection.sock)

    def block(self) -> None:
        """Block for the time of ClientSpec.blocked_ms, once an attempt, with a connection in hand."""
        current = self._current
        if self._blocked_s and current is not None and not current.was_blocked:
            current.was_blocked = True
            time.sleep(self._blocked_s)  # the pause is what the scenario shows

    @contextlib.contextmanager
    def failures(self, *, sending: bool = False) -> Iterator[None]:
        """Record what a step raises. The client may try again, or ignore it and read (EPIPE on sending)."""
        try:
            yield
        except BaseException as error:
            current = self._current
            if current is not None:
                current.error, current.failed_at = error, now()
                number = error.errno if isinstance(error, OSError) else None
                if sending and number and current.witness.sent is not None:
                    current.send_errno = errno_name(number)
            raise

    def on_response(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The head of a response has been read."""
        current = self._current
        assert current is not None
        current.error = current.failed_at = None
        current.status = status
        current.headers = {}
        for name, value in headers:
            if (key := name.lower()) in _HEADERS:
                before = current.headers.get(key)
                current.headers[key] = value if before is None else f"{before}, {value}"

    # -- beneath ----------------------------------------------------------------------------------

    def _on_socket(self, connection: ClientConnection, sock: socket.socket) -> None:
        number = connection.number = next(_connection_numbers)
        here = sock.getsockname()
        connection.local = address(here) if here[1] else None  # no port was left to take
        connection.idle_since = None
        assert self._current is not None
        self._current.number, self._current.local = number, connection.local
        self._sockets[number] = sock
        report_to(self._current.witness, sock)
        if self._aborted.is_set():
            self.abort()

    def _finish(self, current: UnfinishedAttempt) -> None:
        ended = current.ended
        if current.error is not None and current.number is not None:
            if current.connection is not None:
                current.connection.close()  # or its pool would take it up again, with a closed socket inside
            self._close_socket(current.number)
        elif current.connection is not None:
            current.connection.idle_since = ended
        self._finished.append(current.record(self._name, len(self._finished) + 1, ended))

    def _close_socket(self, number: int) -> None:
        # urllib3 2.8.0 keeps the socket of a failed attempt open until it is garbage collected: the
        # exception's traceback holds the response, which holds the socket's file.
        sock = self._sockets.pop(number, None)
        if sock is not None and sock.fileno() >= 0:
            os.close(sock.detach())

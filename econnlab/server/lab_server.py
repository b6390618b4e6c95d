"""The lab server: which connections it accepts, and when it ends."""

import errno
import itertools
import socket
import ssl
from types import ModuleType

from econnlab.record.events import CloseReason, Kind
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import CloseWith, Retirement
from econnlab.server.busy import keep_busy
from econnlab.server.connection import ServedConnection
from econnlab.server.service import Service
from econnlab.server.tls import TlsSocket
from econnlab.system.sockets import address


class LabServer:
    """Accepts on ``listener`` up to the limit, and ``service`` says what becomes of the connections."""

    def __init__(
        self,
        service: Service,
        listener: socket.socket,
        when_full: ModuleType,
        first_number: int = 1,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._service = service
        self._listener = listener
        self._when_full = when_full
        self._tls = tls
        self._served: set[ServedConnection] = set()
        self._refused: set[ServedConnection] = set()
        self._to_refuse = service.spec.refuse_first
        self._numbers = itertools.count(first_number)
        self._paused = False

    def start(self) -> None:
        """Listen, and keep the loop busy if that is asked for."""
        spec, loop, ledger = self._service.spec, self._service.loop, self._service.ledger
        self._listener.setblocking(False)
        self._listener.listen(spec.backlog)
        if spec.accept_after_ms:
            self.pause_accepting("starting")
            loop.add_reader(self._listener, self._accept_later)
        else:
            loop.add_reader(self._listener, self._on_acceptable)
        ledger.event(Kind.LISTENING, local=address(self._listener.getsockname()))
        if spec.busy_for_ms:
            keep_busy(loop, ledger, seconds(spec.busy_for_ms), seconds(spec.busy_every_ms))

    def stop(self) -> None:
        """Close the listener and every connection, and enter that this was intended."""
        self._stop_listening()
        for connection in [*self._served, *self._refused]:
            connection.close(CloseReason.SHUTDOWN)
        self._service.ledger.event(Kind.STOPPED)

    def retire(self, manner: Retirement, drain_s: float) -> None:
        """Accept no more, close every connection in this manner, and then end the loop."""
        self._stop_listening()
        self._service.ledger.event(Kind.RETIRING, reason=manner)
        self._service.retiring = manner
        if manner is Retirement.DRAIN:
            self._service.loop.call_later(drain_s, self._part)
        else:
            self._part()

    def _part(self) -> None:
        for connection in [*self._served, *self._refused]:
            if self._service.retiring is Retirement.ABRUPT:
                connection.close(CloseReason.RETIRED)
            else:
                connection.close_soon(CloseReason.RETIRED)
        self._end_when_empty()

    def _end_when_empty(self) -> None:
        if self._service.retiring is not None and not self._served and not self._refused:
            self._service.loop.stop()

    def _stop_listening(self) -> None:
        if self._listener.fileno() >= 0:
            self._service.loop.remove_reader(self._listener)
            self._listener.close()
        self._paused = False

    # -- letting in -----------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """The limit of open connections is reached; those being refused with 503 do not count."""
        if self._to_refuse:
            return True
        limit = self._service.spec.max_connections
        return limit is not None and len(self._served) >= limit

    def _on_acceptable(self) -> None:
        # One connection per turn of the loop, so that idle timers do not wait for many.
        if self.full:
            self._when_full.on_acceptable(self)
        elif accepted := self._accept():
            self._served.add(self._serve(*accepted))

    def _serve(self, sock: socket.socket, number: int, *, refuse: bool = False) -> ServedConnection:
        spoken: socket.socket | TlsSocket = sock
        if self._tls is not None:
            spoken = TlsSocket(sock, self._tls, close_notify=self._service.spec.close_notify)
        return ServedConnection(self._service, spoken, number, self._forget, refuse=refuse)

    def _accept(self) -> tuple[socket.socket, int] | None:
        try:
            sock, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            # No descriptor is free: the connection stays in the queue, and accepting again would spin.
            self.pause_accepting(errno.errorcode[error.errno])
            return None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = next(self._numbers)
        self._service.ledger.event(Kind.ACCEPTED, number, peer=address(peer))
        return sock, number

    def drop(self, manner: str, close_with: CloseWith) -> None:
        """Accept a connection and close it at once: a manner of when_full/."""
        if accepted := self._accept_too_many(manner):
            self._service.close(*accepted, CloseReason.OVER_CAPACITY, close_with)

    def refuse(self, manner: str) -> None:
        """Accept a connection only to answer 503: a manner of when_full/."""
        if accepted := self._accept_too_many(manner):
            self._refused.add(self._serve(*accepted, refuse=True))

    def _accept_too_many(self, manner: str) -> tuple[socket.socket, int] | None:
        accepted = self._accept()
        if accepted is not None:
            self._to_refuse = max(0, self._to_refuse - 1)
            self._service.ledger.event(Kind.DROPPED, accepted[1], reason=manner)
        return accepted

    def pause_accepting(self, reason: str | None = None) -> None:
        """Leave new connections in the kernel's queue until one of ours ends: a manner of when_full/."""
        self._paused = True
        self._service.loop.remove_reader(self._listener)
        self._service.ledger.event(Kind.ACCEPT_PAUSED, reason=reason)

    def _forget(self, connection: ServedConnection) -> None:
        """A connection has ended, which makes room for another."""
        self._served.discard(connection)
        self._refused.discard(connection)
        self._end_when_empty()
        if self._paused and not self.full:
            self._resume_accepting()

    def _accept_later(self) -> None:
        """The first connection is in the queue."""
        self._service.loop.remove_reader(self._listener)
        self._service.loop.call_later(seconds(self._service.spec.accept_after_ms), self._resume_accepting)

    def _resume_accepting(self) -> None:
        if self._paused:
            self._paused = False
            self._service.loop.add_reader(self._listener, self._on_acceptable)
            self._service.ledger.event(Kind.ACCEPT_RESUMED)

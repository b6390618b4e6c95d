"""The lab server: who is let in, who is kept, and when it ends."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
import ssl
from types import ModuleType

import h11

from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import Retirement, ServerSpec
from econnlab.server.busy import keep_busy
from econnlab.server.closing import close_socket
from econnlab.server.connection import ServedConnection
from econnlab.server.faults import Faults
from econnlab.server.idempotency import Carried
from econnlab.server.idle_timers import IdleTimers
from econnlab.server.responses import METHODS, NOT_ALLOWED, OK, Answer, error_answer, ok_answer
from econnlab.server.tls import TlsSocket
from econnlab.system.sockets import address

#: The reason in the ledger: another process has taken the server's place.
RETIRED = "retired"


class LabServer:
    """Accepts on ``listener`` up to the limit; everything that happens goes into ``ledger``."""

    def __init__(
        self,
        spec: ServerSpec,
        listener: socket.socket,
        loop: asyncio.AbstractEventLoop,
        ledger: Ledger,
        idle_timers: IdleTimers,
        when_full: ModuleType,
        first_number: int = 1,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.spec = spec
        self.loop = loop
        self.ledger = ledger
        self.idle_timers = idle_timers
        self.idle_timeout_s = seconds(spec.keepalive_timeout_ms + spec.keepalive_buffer_ms)
        self.response_delay_s = seconds(spec.response_delay_ms)
        self.header_timeout_s = None if spec.header_timeout_ms is None else seconds(spec.header_timeout_ms)
        self.faults = Faults(self, spec.fault)
        self.carried = Carried() if spec.idempotency_keys else None
        self._listener = listener
        self._when_full = when_full
        self._served: set[ServedConnection] = set()
        self._refused: set[ServedConnection] = set()
        self._to_refuse = spec.refuse_first
        self._numbers = itertools.count(first_number)
        self._paused = False
        self._retiring: Retirement | None = None
        self._ok_answer, self._error_answer = ok_answer(spec), error_answer(spec)
        #: How many requests are still to be answered with the scenario's error; None: all.
        self._errors_left = 0 if spec.status == OK else spec.status_requests

    def start(self) -> None:
        """Listen, and keep the loop busy where that is asked for."""
        self._listener.setblocking(False)
        if self.spec.accept_after_ms:
            self._listener.listen(self.spec.backlog)
            self.pause_accepting("starting")
            self.loop.add_reader(self._listener, self._accept_later)
        else:
            self._listener.listen(self.spec.backlog)
            self.loop.add_reader(self._listener, self._on_acceptable)
        self.ledger.event(Kind.LISTENING, local=address(self._listener.getsockname()))
        if self.spec.busy_for_ms:
            keep_busy(
                self.loop, self.ledger, seconds(self.spec.busy_for_ms), seconds(self.spec.busy_every_ms)
            )

    def stop(self) -> None:
        """Close the listener and every connection, and enter that it was meant."""
        self._stop_listening()
        for connection in [*self._served, *self._refused]:
            connection.close("shutdown")
        self.ledger.event(Kind.STOPPED)

    def retire(self, manner: Retirement, drain_s: float) -> None:
        """Accept no more, part with every connection in this manner, and then end the loop."""
        self._stop_listening()
        self.ledger.event(Kind.RETIRING, reason=manner.value)
        self._retiring = manner
        if manner is Retirement.DRAIN:
            self.loop.call_later(drain_s, self._part)
        else:
            self._part()

    def _part(self) -> None:
        for connection in [*self._served, *self._refused]:
            if self._retiring is Retirement.ABRUPT:
                connection.close(RETIRED)
            else:
                connection.close_soon(RETIRED)
        self._end_when_empty()

    def _end_when_empty(self) -> None:
        if self._retiring is not None and not self._served and not self._refused:
            self.loop.stop()

    def _stop_listening(self) -> None:
        if self._listener.fileno() >= 0:
            self.loop.remove_reader(self._listener)
            self._listener.close()
        self._paused = False

    def last_request(self, connection: ServedConnection) -> str | None:
        """Why ``connection`` ends after the response to come; None where it need not."""
        if self._retiring is not None:
            return RETIRED
        limit = self.spec.max_requests
        return "max_requests" if limit is not None and connection.requests >= limit else None

    def answer_to(self, request: h11.Request) -> Answer:
        """What ``request`` is answered with; one with status 200 is carried out first."""
        if request.method not in METHODS:
            return NOT_ALLOWED
        if self._errors_left == 0:
            return self._ok_answer
        if self._errors_left is not None:
            self._errors_left -= 1
        return self._error_answer

    # -- letting in -----------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """As many connections are open as are allowed. Those being refused with 503 do not count."""
        if self._to_refuse:
            return True
        limit = self.spec.max_connections
        return limit is not None and len(self._served) >= limit

    def _on_acceptable(self) -> None:
        # One connection a turn of the loop: an idle timer due meanwhile must not wait for a crowd.
        if self.full:
            self._when_full.on_acceptable(self)
        elif accepted := self._accept():
            sock, number = accepted
            self._served.add(ServedConnection(self, self._dressed(sock), number))

    def _dressed(self, sock: socket.socket) -> socket.socket | TlsSocket:
        if self._tls is None:
            return sock
        return TlsSocket(sock, self._tls, close_notify=self.spec.close_notify)

    def _accept(self) -> tuple[socket.socket, int] | None:
        try:
            sock, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            # Out of descriptors: the connection stays in the queue, readable; asking again would spin.
            self.pause_accepting(errno.errorcode[error.errno])
            return None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = next(self._numbers)
        self.ledger.event(Kind.ACCEPTED, number, peer=address(peer))
        return sock, number

    def drop(self, manner: str, *, close_with: str) -> None:
        """Accept a connection and close it at once: a manner of when_full/."""
        if accepted := self._accept():
            sock, number = accepted
            self._to_refuse = max(0, self._to_refuse - 1)
            self.ledger.event(Kind.DROPPED, number, reason=manner)
            close_socket(self.ledger, sock, number, "over_capacity", close_with)

    def refuse(self, manner: str) -> None:
        """Accept a connection only to answer 503: a manner of when_full/."""
        if accepted := self._accept():
            sock, number = accepted
            self._to_refuse = max(0, self._to_refuse - 1)
            self.ledger.event(Kind.DROPPED, number, reason=manner)
            self._refused.add(ServedConnection(self, self._dressed(sock), number, refuse=True))

    def pause_accepting(self, reason: str | None = None) -> None:
        """Leave new connections in the kernel's queue until one of ours ends: a manner of when_full/."""
        self._paused = True
        self.loop.remove_reader(self._listener)
        self.ledger.event(Kind.ACCEPT_PAUSED, reason=reason)

    def forget(self, connection: ServedConnection) -> None:
        """A connection has ended: there is room for another."""
        self._served.discard(connection)
        self._refused.discard(connection)
        self._end_when_empty()
        if self._paused and not self.full:
            self._resume_accepting()

    def _accept_later(self) -> None:
        """The first connection stands in the queue."""
        self.loop.remove_reader(self._listener)
        self.loop.call_later(seconds(self.spec.accept_after_ms), self._resume_accepting)

    def _resume_accepting(self) -> None:
        if self._paused:
            self._paused = False
            self.loop.add_reader(self._listener, self._on_acceptable)
            self.ledger.event(Kind.ACCEPT_RESUMED)

"""The lab server: who is let in, who is kept, and when it ends."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from types import ModuleType

from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import ServerSpec
from econnlab.server.busy import keep_busy
from econnlab.server.connection import ServedConnection, close_socket
from econnlab.server.idle_timers import IdleTimers
from econnlab.sockets import address

#: The kernel cuts it down to net.core.somaxconn (listen(2)).
BACKLOG = 4096


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
    ) -> None:
        self.spec = spec
        self.loop = loop
        self.ledger = ledger
        self.idle_timers = idle_timers
        self.idle_timeout_s = seconds(spec.keepalive_timeout_ms + spec.keepalive_buffer_ms)
        self.response_delay_s = seconds(spec.response_delay_ms)
        self._listener = listener
        self._when_full = when_full
        self._served: set[ServedConnection] = set()
        self._refused: set[ServedConnection] = set()
        self._numbers = itertools.count(1)
        self._paused = False

    def start(self) -> None:
        """Listen, and keep the loop busy where that is asked for."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self.loop.add_reader(self._listener, self._on_acceptable)
        self.ledger.event(Kind.LISTENING, local=address(self._listener.getsockname()))
        if self.spec.busy_for_ms:
            keep_busy(
                self.loop, self.ledger, seconds(self.spec.busy_for_ms), seconds(self.spec.busy_every_ms)
            )

    def stop(self) -> None:
        """Close the listener and every connection, and enter that it was meant."""
        self.loop.remove_reader(self._listener)
        self._listener.close()
        self._paused = False
        for connection in [*self._served, *self._refused]:
            connection.close("shutdown")
        self.ledger.event(Kind.STOPPED)

    # -- letting in -----------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """As many connections are open as are allowed. Those being refused with 503 do not count."""
        limit = self.spec.max_connections
        return limit is not None and len(self._served) >= limit

    def _on_acceptable(self) -> None:
        # One connection a turn of the loop: an idle timer due meanwhile must not wait for a crowd.
        if self.full:
            self._when_full.on_acceptable(self)
        elif accepted := self._accept():
            sock, number = accepted
            self._served.add(ServedConnection(self, sock, number))

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
            self.ledger.event(Kind.DROPPED, number, reason=manner)
            close_socket(self.ledger, sock, number, "over_capacity", close_with)

    def refuse(self, manner: str) -> None:
        """Accept a connection only to answer 503: a manner of when_full/."""
        if accepted := self._accept():
            sock, number = accepted
            self.ledger.event(Kind.DROPPED, number, reason=manner)
            self._refused.add(ServedConnection(self, sock, number, refuse=True))

    def pause_accepting(self, reason: str | None = None) -> None:
        """Leave new connections in the kernel's queue until one of ours ends: a manner of when_full/."""
        self._paused = True
        self.loop.remove_reader(self._listener)
        self.ledger.event(Kind.ACCEPT_PAUSED, reason=reason)

    def forget(self, connection: ServedConnection) -> None:
        """A connection has ended: there is room for another."""
        self._served.discard(connection)
        self._refused.discard(connection)
        if self._paused and not self.full:
            self._paused = False
            self.loop.add_reader(self._listener, self._on_acceptable)
            self.ledger.event(Kind.ACCEPT_RESUMED)

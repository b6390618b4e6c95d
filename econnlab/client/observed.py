"""Connections that can be seen at work: urllib3's own, with a witness at each socket call.

What goes over the wire stays as it is, and so does its timing, but for two things that are asked for:
the client waits until the request is due at the very point where it takes up a connection, and the check
for a stale connection can be left out.
"""

from __future__ import annotations

import itertools
import queue
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from econnlab.client import ping
from econnlab.client.witness import Witnessed
from econnlab.scenario.client import PoolOrder
from econnlab.system.clock import now
from econnlab.system.sockets import address, probe_idle

if TYPE_CHECKING:
    from econnlab.client.observer import Observer

connection_numbers = itertools.count(1)


class ObservedSocket(Witnessed, socket.socket):
    """A plain socket with a witness."""


class ObservedTlsSocket(Witnessed, ssl.SSLSocket):
    """A TLS socket with a witness of the bytes inside TLS."""


class ObservedConnection:
    """What both connection classes add to urllib3's: every step is told to the session's observer."""

    observer: Observer
    sock: socket.socket | None
    number: int | None = None
    local: str | None = None
    #: When the last response on this connection had been read whole; None before the first.
    idle_since: float | None = None

    @property
    def is_connected(self) -> bool:
        """urllib3 asks this when it takes a pooled connection up (connectionpool.py, _get_conn)."""
        self.observer.hold()
        connected = super().is_connected if self.observer.stale_check else self.sock is not None  # type: ignore[misc]
        return bool(connected) and (not self.observer.pings or self.idle_since is None or self._answers())

    def _answers(self) -> bool:
        """Ask the server on this connection; unseen by the attempts before and after."""
        sock, here = self.sock, cast(Any, self)
        assert sock is not None
        if isinstance(sock, Witnessed):
            sock.witness = None
        sock.settimeout(here.timeout)
        answers = ping.answers(sock, f"{here.host}:{here.port}")
        self.idle_since = now()
        return answers

    def close(self) -> None:
        super().close()  # type: ignore[misc]

    def connect(self) -> None:
        self.observer.hold()
        self.observer.begin_attempt(self)
        with self.observer.failures():
            super().connect()  # type: ignore[misc]
        self.observer.on_connected(self)
        self.observer.block()

    def _new_conn(self) -> socket.socket:
        """urllib3's own, with a socket of ours that is known even where connect(2) fails.

        On a busy machine an RST can come before connect(2) returns, which then raises ECONNRESET.
        """
        here = cast(Any, self)
        try:
            return self._open_socket()
        except TimeoutError as error:
            raise ConnectTimeoutError(here, f"Connection to {here.host} timed out.") from error
        except OSError as error:
            raise NewConnectionError(here, f"Failed to establish a new connection: {error}") from error

    def _open_socket(self) -> socket.socket:
        here = cast(Any, self)
        host, port = self.observer.dial
        sock = ObservedSocket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            for option in here.socket_options or []:
                sock.setsockopt(*option)
            if self.observer.tcp_keepalive_s is not None:
                probe_idle(sock, self.observer.tcp_keepalive_s)
            sock.settimeout(here.timeout)
            sock.connect((host, port))
        finally:
            self._on_socket(sock)
        return sock

    def _on_socket(self, sock: ObservedSocket) -> None:
        self.number = next(connection_numbers)
        here = sock.getsockname()
        self.local = address(here) if here[1] else None  # no port where there was none left to take
        self.idle_since = None
        self.observer.on_socket(self, sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self.observer.hold()
        self.observer.begin_attempt(self)
        if self.sock is not None:  # else it connects first, in the middle of super().request
            self.observer.block()
        with self.observer.failures(sending=True):
            super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        with self.observer.failures():
            response = super().getresponse()  # type: ignore[misc]
        self.observer.on_response(response)
        return response


class ObservedHTTPConnection(ObservedConnection, HTTPConnection):
    """A plain connection that can be seen at work."""


class ObservedHTTPSConnection(ObservedConnection, HTTPSConnection):
    """A TLS connection that can be seen at work."""


class _ObservedPool:
    """What both pools add to urllib3's: the session's observer for each connection."""

    observer: Observer

    def _new_conn(self) -> Any:
        connection = super()._new_conn()  # type: ignore[misc]
        connection.observer = self.observer
        return connection


class _ObservedHTTPPool(_ObservedPool, HTTPConnectionPool):
    ConnectionCls = ObservedHTTPConnection


class _ObservedHTTPSPool(_ObservedPool, HTTPSConnectionPool):
    ConnectionCls = ObservedHTTPSConnection


def observe(manager: PoolManager, observer: Observer) -> None:
    """Let every connection that ``manager`` makes from now on report to ``observer``."""
    more: dict[str, Any] = {"observer": observer}
    if observer.pool_order is PoolOrder.FIFO:
        # urllib3's own is a LifoQueue (connectionpool.py, HTTPConnectionPool.QueueCls).
        more["QueueCls"] = queue.Queue
    manager.pool_classes_by_scheme = {
        "http": type("ObservedHTTPPool", (_ObservedHTTPPool,), more),
        "https": type("ObservedHTTPSPool", (_ObservedHTTPSPool,), more),
    }


def tls_settings(url: str, trusted: str | None) -> dict[str, Any]:
    """What a pool for ``url`` needs so that its TLS sockets, if it has any, are witnessed.

    ``trusted`` is a file with the certificate authority of the lab server.
    """
    if not url.startswith("https:"):
        return {}
    context = create_urllib3_context()
    if trusted is not None:
        context.load_verify_locations(trusted)
    else:
        context.load_default_certs()  # as urllib3 does with a context of its own (util/ssl_.py)
    context.sslsocket_class = ObservedTlsSocket
    return {"ssl_context": context}

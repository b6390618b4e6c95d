"""http.client's and urllib3's connections, observed: each step of them is reported to the session's observer.

The bytes on the wire and their timing stay as they are, with two exceptions that a scenario asks for: the
client waits until the request is due at the very point where it takes up a connection, and the check for a
stale connection can be left out.
"""

from __future__ import annotations

import queue
import socket
from typing import Any, cast

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from econnlab.client import ping
from econnlab.client.observer import Observer
from econnlab.client.session import CHUNK
from econnlab.client.witness import ObservedTlsSocket, report_to
from econnlab.scenario.client import PoolOrder
from econnlab.system.clock import now


class ObservedConnection:
    """What a connection class reports to the observer; mixed into http.client's class or a subclass of it."""

    observer: Observer
    sock: socket.socket | None
    number: int | None = None
    local: str | None = None
    idle_since: float | None = None

    def close(self) -> None:
        super().close()  # type: ignore[misc]

    def connect(self) -> None:
        self.observer.hold()
        self.observer.begin_attempt(self)
        with self.observer.failures():
            super().connect()  # type: ignore[misc]
        self.observer.on_connected(self)
        self.observer.block()

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
        self.observer.on_response(response.status, response.headers.items())
        return response


class _Urllib3Connection(ObservedConnection):
    """What only urllib3 has: the check before a reuse, its own errors for a failed connect, and bodies.

    With ``read_bodies`` it reads and drops the body where urllib3 would preload it: an error in it is then
    retried as urllib3 does, and a large body does not fill the memory.
    """

    read_bodies = False

    def getresponse(self) -> Any:
        response = super().getresponse()
        if self.read_bodies:
            with self.observer.failures():
                for _ in response.stream(CHUNK):
                    pass
        return response

    @property
    def is_connected(self) -> bool:
        """urllib3 asks this when it takes up a pooled connection (connectionpool.py, _get_conn)."""
        self.observer.hold()
        spec = self.observer.spec
        connected = super().is_connected if spec.stale_check else self.sock is not None  # type: ignore[misc]
        return bool(connected) and (not spec.ping or self.idle_since is None or self._answers())

    def _answers(self) -> bool:
        """Ping the server on this connection, unseen by the attempts before and after."""
        sock, here = self.sock, cast(Any, self)
        assert sock is not None
        report_to(None, sock)
        sock.settimeout(here.timeout)
        answers = ping.answers(sock, f"{here.host}:{here.port}")
        self.idle_since = now()
        return answers

    def _new_conn(self) -> socket.socket:
        here = cast(Any, self)
        try:
            return self.observer.open_socket(self, here.timeout, here.socket_options or ())
        except TimeoutError as error:
            raise ConnectTimeoutError(here, f"Connection to {here.host} timed out.") from error
        except OSError as error:
            raise NewConnectionError(here, f"Failed to establish a new connection: {error}") from error


class _ObservedHTTPConnection(_Urllib3Connection, HTTPConnection):
    pass


class _ObservedHTTPSConnection(_Urllib3Connection, HTTPSConnection):
    pass


class _ObservedPool:
    """Gives each new connection the session's observer."""

    observer: Observer
    read_bodies: bool

    def _new_conn(self) -> Any:
        connection = super()._new_conn()  # type: ignore[misc]
        connection.observer = self.observer
        connection.read_bodies = self.read_bodies
        return connection


class _ObservedHTTPPool(_ObservedPool, HTTPConnectionPool):
    ConnectionCls = _ObservedHTTPConnection


class _ObservedHTTPSPool(_ObservedPool, HTTPSConnectionPool):
    ConnectionCls = _ObservedHTTPSConnection


def observe(manager: PoolManager, observer: Observer, *, read_bodies: bool = False) -> None:
    """Let every connection that ``manager`` makes from now on report to ``observer``."""
    more: dict[str, Any] = {"observer": observer, "read_bodies": read_bodies}
    if observer.spec.pool_order is PoolOrder.FIFO:
        # urllib3's own is a LifoQueue (connectionpool.py, HTTPConnectionPool.QueueCls).
        more["QueueCls"] = queue.Queue
    manager.pool_classes_by_scheme = {
        "http": type("ObservedHTTPPool", (_ObservedHTTPPool,), more),
        "https": type("ObservedHTTPSPool", (_ObservedHTTPSPool,), more),
    }


def tls_settings(url: str, trusted: str | None) -> dict[str, Any]:
    """The arguments that make the TLS sockets of a pool for ``url`` observed ones; none for plain HTTP.

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

"""http.client of the standard library: it never checks for a stale connection, and never retries."""

from __future__ import annotations

import http.client
import socket
from typing import Any, cast
from urllib.parse import urlsplit

from econnlab.client.observed import ObservedConnection
from econnlab.client.observer import Observer
from econnlab.client.session import CHUNK, Body
from econnlab.errors import UsageProblem
from econnlab.scenario.client import DEFAULT_RETRY, ClientSpec

NAME = "http.client"
HELP = "http.client.HTTPConnection"
POOLED = False
TLS = False
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


class _StdlibConnection(ObservedConnection, http.client.HTTPConnection):
    def __init__(self, host: str, port: int | None, observer: Observer) -> None:
        super().__init__(host, port)
        self.observer = observer
        # http.client makes its sockets with this (http/client.py, HTTPConnection.connect).
        cast(Any, self)._create_connection = lambda *_: observer.open_socket(self, self.timeout, _OPTIONS)


class StdlibClient:
    """One HTTPConnection that asks one URL; http.client reopens it after it was closed."""

    def __init__(self, url: str, spec: ClientSpec, observer: Observer) -> None:
        parsed = urlsplit(url)
        assert parsed.hostname is not None
        self._connection = _StdlibConnection(parsed.hostname, parsed.port, observer)
        self._target = (parsed.path or "/") + (f"?{parsed.query}" if parsed.query else "")
        self._method = spec.method
        self._buffer = bytearray(CHUNK)

    def perform(self, headers: dict[str, str], body: Body, timeout_s: float) -> None:
        """Send the request and read the whole response."""
        self._connection.timeout = timeout_s
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_s)
        try:
            self._connection.request(self._method, self._target, cast(Any, body), headers)
            response = self._connection.getresponse()
            while response.readinto(self._buffer):
                pass
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def open_client(url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> StdlibClient:
    """A new connection, not yet opened. Raises UsageProblem for what http.client does not have."""
    if spec.stale_check:
        raise UsageProblem(
            "http.client never checks whether a connection was closed.", "Add --no-stale-check."
        )
    if spec.policy == DEFAULT_RETRY:
        raise UsageProblem(
            "http.client has no urllib3 to retry.",
            "Name another --retry, or take --client urllib3 or requests.",
        )
    if spec.ping or spec.idle_limit_ms is not None or spec.honour_keep_alive_ms is not None:
        raise UsageProblem(
            "http.client has no pool that could check idle connections.",
            "Take --client urllib3 or requests with an idle limit, a margin or a ping.",
        )
    if url.startswith("https:"):
        raise UsageProblem("The lab's http.client speaks plain HTTP only.", "Take another --client.")
    return StdlibClient(url, spec, observer)

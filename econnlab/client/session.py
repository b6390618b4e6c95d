"""A session: one client with its own connection pool, and its requests one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from econnlab.client.observer import Observer, Tried
from econnlab.client.trying import RestNotGiven, open_trying
from econnlab.discovery import parts
from econnlab.record.attempts import Attempt
from econnlab.scenario.client import ClientSpec
from econnlab.system.clock import now

KINDS = "econnlab.client.kinds"
#: The header by which the ledgers know a request; see econnlab.server.responses.
REQUEST_ID = "X-Econnlab-Request"
#: When the request was due, in the format of proxies and balancers (nginx, Heroku, New Relic). In a capture
#: it is the only trace of a client that was delayed before it wrote.
REQUEST_START = "X-Request-Start"
#: draft-ietf-httpapi-idempotency-key-header: the same for each attempt of one request.
IDEMPOTENCY_KEY = "Idempotency-Key"
_BODY = b"one order\n"
_PIECE = 4096
#: Clients read bodies in pieces of this size and drop them, so that a large body does not fill the memory.
CHUNK = 65536
_OK = 200

#: Bytes, or a stream that can be read once; None if the method carries no body.
Body = bytes | Iterator[bytes] | None


class HttpClient(Protocol):
    """A real client with its own connection pool."""

    def perform(self, headers: dict[str, str], body: Body, timeout_s: float) -> None:
        """Send the request and read the response to its end. Raises whatever the library raises."""

    def close(self) -> None:
        """Close the pool."""


def open_session(
    url: str,
    spec: ClientSpec,
    dial: tuple[str, int],
    *,
    row: int = 0,
    number: int = 1,
    trusted: str | None = None,
    seed: int = 1,
) -> ClientSession:
    """Session ``number`` with a client as ``spec`` describes it, which asks ``url`` at the address ``dial``.

    ``trusted`` is a file with the certificate authority of a lab server that speaks TLS. Raises UsageProblem
    for settings that the client does not have.
    """
    observer = Observer(row, number, dial, spec)
    client: HttpClient = parts(KINDS)[spec.kind].open_client(url, spec, observer, trusted)
    return ClientSession(client, observer, number, seed)


class ClientSession:
    """One client and its requests, one after another."""

    def __init__(self, client: HttpClient, observer: Observer, number: int, seed: int = 1) -> None:
        self._client = client
        self._observer = observer
        self._spec = observer.spec
        self._number = number
        self._trying = open_trying(self._spec, observer, f"{seed}/{number}/retries")
        self._headers: dict[str, str] = {}
        self._due = 0.0
        self._body: Body = None
        self._plain_body = body_of(self._spec)

    def perform(self, request: int, due: float) -> tuple[Attempt, ...]:
        """Send request number ``request`` at ``due``, on the monotonic clock; returns its attempts."""
        request_id = f"{self._number}-{request}"
        self._headers = {REQUEST_ID: request_id}
        if self._spec.idempotency_key:
            self._headers[IDEMPOTENCY_KEY] = request_id
        if self._spec.connection_close:
            self._headers["Connection"] = "close"
        self._body = self._plain_body if self._spec.replayable else _stream(self._plain_body)
        self._due = due
        self._observer.begin_request(request, request_id, self._spec.method, due)
        self._trying.perform(self._once)
        return self._observer.end_request()

    def _once(self, timeout_s: float, rest_only: bool) -> tuple[Tried, Exception | None]:
        """One call of the client, which may make several attempts by itself."""
        if rest_only:
            self._headers["Range"] = "bytes=0-"
        self._headers[REQUEST_START] = f"t={time.time() - now() + max(self._due, now()):.6f}"
        self._observer.give(timeout_s)
        error: Exception | None = None
        try:
            self._client.perform(self._headers, self._body, timeout_s)
        except Exception as raised:  # any exception of a client is a result here
            error = raised
        if rest_only and error is None and self._observer.status == _OK:
            error = RestNotGiven()
        return self._observer.end_attempt(error), error

    def abort(self) -> None:
        """Make a ``perform`` in another thread return at once."""
        self._observer.abort()

    def close(self) -> None:
        """Close the client and every connection it has left."""
        self._client.close()
        self._observer.close()


def body_of(spec: ClientSpec) -> bytes | None:
    """The body of each request."""
    if spec.method not in ("POST", "PUT"):
        return None
    return (_BODY * (spec.body_size // len(_BODY) + 1))[: spec.body_size]


def _stream(body: bytes | None) -> Iterator[bytes] | None:
    if body is None:
        return None
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))

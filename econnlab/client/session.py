"""What the lab asks of a client, whichever it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from econnlab.client.observer import Observer, Tried
from econnlab.client.trying import RestNotGiven, open_trying
from econnlab.record.attempts import Attempt
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.durations import seconds
from econnlab.system.clock import now

#: The header by which the ledgers know a request; see econnlab.server.responses.
REQUEST_ID = "X-Econnlab-Request"
#: When the request was due, as proxies and balancers say when they had it (nginx, Heroku, New Relic): in a
#: capture, the only trace of a client that was held up before it wrote.
REQUEST_START = "X-Request-Start"
#: draft-ietf-httpapi-idempotency-key-header: the same for each try of one request.
IDEMPOTENCY_KEY = "Idempotency-Key"
_BODY = b"one order\n"
_CHUNK = 4096
OK = 200

#: Bytes, or a stream that can be read once; None where the method carries nothing.
Body = bytes | Iterator[bytes] | None


class HttpClient(Protocol):
    """A real client with a connection pool of its own."""

    def perform(self, headers: dict[str, str], body: Body, timeout_s: float) -> None:
        """Send the request and read the response to its end. Raises whatever the library raises."""

    def close(self) -> None:
        """Close the pool."""


class ClientSession:
    """One client and its requests, one after another, each as the attempts it took."""

    def __init__(
        self, client: HttpClient, observer: Observer, spec: ClientSpec, session: int, seed: int = 1
    ) -> None:
        self._client = client
        self._observer = observer
        self._spec = spec
        self._session = session
        self._trying = open_trying(spec, observer, f"{seed}/{session}/retries")
        self._headers: dict[str, str] = {}
        self._due = 0.0
        self._body: Body = None
        self._plain_body = body_of(spec)

    def perform(self, request: int, due: float) -> tuple[Attempt, ...]:
        """Send request number ``request`` at ``due``, on the monotonic clock, and wait for its end."""
        request_id = f"{self._session}-{request}"
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
        """Let the client try, and by itself again if that is its way."""
        if rest_only:
            self._headers["Range"] = "bytes=0-"
        self._headers[REQUEST_START] = f"t={time.time() - now() + max(self._due, now()):.6f}"
        self._observer.give(timeout_s)
        error: Exception | None = None
        try:
            self._client.perform(self._headers, self._body, timeout_s)
        except Exception as raised:  # what a client may raise is the client's affair: it is what we look at
            error = raised
        if rest_only and error is None and self._observer.status == OK:
            error = RestNotGiven()
        return self._observer.end_attempt(error), error

    def abort(self) -> None:
        """Make a ``perform`` in another thread return at once."""
        self._observer.abort()

    def close(self) -> None:
        """Close the client and every connection it has left."""
        self._client.close()
        self._observer.close()


def timeout_s(spec: ClientSpec) -> float:
    """How long the client waits for the server, in seconds."""
    return seconds(spec.timeout_ms)


def body_of(spec: ClientSpec) -> bytes | None:
    """What each request carries."""
    if spec.method not in ("POST", "PUT"):
        return None
    return (_BODY * (spec.body_size // len(_BODY) + 1))[: spec.body_size]


def _stream(body: bytes | None) -> Iterator[bytes] | None:
    if body is None:
        return None
    return (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))

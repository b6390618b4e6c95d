"""What the lab asks of a client, whichever it is."""

from __future__ import annotations

import time
from typing import Protocol

from econnlab.client.observer import Observer
from econnlab.clock import now
from econnlab.record.attempts import Attempt
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import ClientSpec

#: The header by which the ledgers know a request; see econnlab.server.responses.
REQUEST_ID = "X-Econnlab-Request"
#: When the request was due, as proxies and balancers say when they had it (nginx, Heroku, New Relic): in a
#: capture, the only trace of a client that was held up before it wrote.
REQUEST_START = "X-Request-Start"
_BODY = b"one order\n"


class HttpClient(Protocol):
    """A real client with a connection pool of its own."""

    def perform(self, headers: dict[str, str]) -> None:
        """Send the request and read the response to its end. Raises whatever the library raises."""

    def close(self) -> None:
        """Close the pool."""


class ClientSession:
    """One client and its requests, one after another, each as the attempts it took."""

    def __init__(self, client: HttpClient, observer: Observer, spec: ClientSpec, session: int) -> None:
        self._client = client
        self._observer = observer
        self._spec = spec
        self._session = session

    def perform(self, request: int, due: float) -> tuple[Attempt, ...]:
        """Send request number ``request`` at ``due``, on the monotonic clock, and wait for its end."""
        request_id = f"{self._session}-{request}"
        self._observer.begin_request(request, request_id, self._spec.method, due)
        error: Exception | None = None
        try:
            self._client.perform(
                {REQUEST_ID: request_id, REQUEST_START: f"t={time.time() - now() + due:.6f}"}
            )
        except Exception as raised:  # what a client may raise is the client's affair: it is what we look at
            error = raised
        return self._observer.end_request(error)

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

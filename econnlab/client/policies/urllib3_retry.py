"""urllib3's Retry, called with the exceptions that urllib3 raises."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.util import Retry

NAME = "urllib3"
HELP = "urllib3's Retry: idempotent methods, any method if no connection was established, no delay"
SOURCE = "urllib3, util/retry.py, Retry.increment and is_retry; the exceptions of connectionpool.py, urlopen"
KIND = "library"
#: PoolManager's default, Retry.DEFAULT.
RETRIES = 3

_URL = "/"


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one PoolManager with ``retries=Retry(retries)``; its jitter is 0 by default."""
    from urllib3.util import Retry

    return AskedRetry(lambda: Retry(retries))


class AskedRetry:
    """Does what ``urlopen`` does with a Retry, except the sleeping."""

    def __init__(self, first: Callable[[], Retry]) -> None:
        self._first = first
        self._retry = first()

    def after(self, failed: FailedAttempt) -> Again | None:
        """Ask Retry; if it raises, the request is over."""
        from urllib3.exceptions import HTTPError

        if failed.attempt == 1:
            self._retry = self._first()
        if failed.connected and not failed.replayable:
            return None  # UnrewindableBodyError before the next try
        try:
            delay_s = self._increment(failed)
        except HTTPError:  # MaxRetryError, or the error itself if it may not be retried
            return None
        return None if delay_s is None else Again(delay_s)

    def _increment(self, failed: FailedAttempt) -> float | None:
        if failed.outcome is not Outcome.HTTP_ERROR:
            self._retry = self._retry.increment(failed.method, _URL, error=raised_for(failed))
            return self._retry.get_backoff_time()
        response = _response(failed)
        if not self._retry.is_retry(failed.method, response.status, "Retry-After" in response.headers):
            return None
        self._retry = self._retry.increment(failed.method, _URL, response=response)
        return self._retry.get_retry_after(response) or self._retry.get_backoff_time()


def raised_for(failed: FailedAttempt) -> Exception:
    """The exception that urllib3's ``urlopen`` gives to its Retry for ``failed``."""
    import http.client

    from urllib3 import exceptions as u3
    from urllib3.connection import HTTPConnection
    from urllib3.connectionpool import HTTPConnectionPool

    host = "localhost"
    if failed.outcome is Outcome.TIMEOUT:
        if not failed.connected:
            return u3.ConnectTimeoutError(HTTPConnection(host), "timed out")
        return u3.ReadTimeoutError(HTTPConnectionPool(host), _URL, "timed out")
    if not failed.connected:
        return u3.NewConnectionError(HTTPConnection(host), "no connection")
    if failed.outcome is Outcome.OTHER and not failed.sent:
        return u3.SSLError("nothing was sent over an open connection: the TLS handshake failed")
    if failed.outcome is Outcome.TRUNCATED:
        return u3.ProtocolError("Connection broken", http.client.IncompleteRead(b""))
    return u3.ProtocolError("Connection aborted.", ConnectionError(failed.outcome.value))


def _response(failed: FailedAttempt) -> BaseHTTPResponse:
    from urllib3 import HTTPResponse

    headers = {} if failed.retry_after_s is None else {"Retry-After": f"{failed.retry_after_s:.0f}"}
    return HTTPResponse(b"", headers, status=failed.status or 0)

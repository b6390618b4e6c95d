"""axios-retry's default condition, ``isNetworkOrIdempotentRequestError``, under the original's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from econnlab.client.policies._node_codes import node_code
from econnlab.client.retrying import Again, FailedAttempt

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: axios's code for its own timeouts (lib/adapters/http.js), unless transitional.clarifyTimeoutError is set.
_TIMED_OUT = "ECONNABORTED"
#: is-retry-allowed 1.2.0 and 2.2.0, index.js: its other entries are codes of TLS certificates.
_DENIED = frozenset({"ENOTFOUND", "ENETUNREACH"})


@dataclass(frozen=True)
class Seen:
    """The error as axios's interceptor gets it."""

    method: str
    code: str | None
    #: The status of ``error.response``; None if there is no response.
    status: int | None


def seen(failed: FailedAttempt, status: int | None) -> Seen:
    """``failed`` as axios reports it; ``status`` is None if this axios gives no response with the error."""
    code = "ERR_BAD_RESPONSE" if status is not None else node_code(failed, _TIMED_OUT)
    return Seen(failed.method, code, status)


def is_network_error(error: Seen) -> bool:
    """No response, and an allowed code; the method does not matter."""
    return error.status is None and bool(error.code) and error.code != _TIMED_OUT and is_retry_allowed(error)


def is_retry_allowed(error: Seen) -> bool:
    """The package of that name allows every code that is not on its list."""
    return error.code not in _DENIED


def is_retryable_error(error: Seen, *, too_many_requests: bool) -> bool:
    """Not a timeout, and no response or one with 5xx; since axios-retry 4 also 429."""
    if error.code == _TIMED_OUT:
        return False
    status = error.status
    return status is None or (too_many_requests and status == 429) or 500 <= status <= 599


def is_idempotent_request_error(error: Seen, *, too_many_requests: bool) -> bool:
    """A retryable error of a method that may be repeated."""
    return error.method in IDEMPOTENT and is_retryable_error(error, too_many_requests=too_many_requests)


class AxiosPolicy:
    """Counts, delays, and shares one ``timeout``: each attempt gets what the attempts before it left."""

    def __init__(
        self,
        retries: int,
        condition: Callable[[FailedAttempt], bool],
        delay_s: Callable[[FailedAttempt], float],
        least_timeout_s: float | None,
    ) -> None:
        self._retries = retries
        self._condition = condition
        self._delay_s = delay_s
        #: The timeout of an attempt when nothing is left; None: give up then.
        self._least_timeout_s = least_timeout_s
        self._began = 0.0

    def after(self, failed: FailedAttempt) -> Again | None:
        """As ``axiosRetry``'s response interceptor decides."""
        if failed.attempt == 1:
            self._began = 0.0
        if failed.attempt > self._retries or not self._condition(failed):
            return None
        delay = self._delay_s(failed)
        timeout = failed.timeout_s
        if timeout:  # shouldResetTimeout is false by default
            timeout -= failed.elapsed_s - self._began + delay
            if self._least_timeout_s is None and timeout <= 0:
                return None
            timeout = max(timeout, self._least_timeout_s or 0.0)
        self._began = failed.elapsed_s + delay
        return Again(delay, timeout)

"""got, Node's client with retries built in."""

from __future__ import annotations

import random

from econnlab.client.policies._node_codes import node_code
from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "got"
HELP = "got 14: idempotent methods, timeouts too, 1 s doubling with up to 100 ms of noise, Retry-After"
SOURCE = "got 14.6.6, dist/source/core/calculate-retry-delay.js; defaults in core/options.js, retry"
KIND = "model"
RETRIES = 2

METHODS = frozenset({"GET", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE"})
STATUSES = frozenset({408, 413, 429, 500, 502, 503, 504, 521, 522, 524})
CODES = frozenset(
    "ETIMEDOUT ECONNRESET EADDRINUSE ECONNREFUSED EPIPE ENOTFOUND ENETUNREACH EAI_AGAIN".split()
)
_FIRST_DELAY_S = 1.0
_NOISE_S = 0.1
_TIMED_OUT = "ETIMEDOUT"
#: 413 is retried only with a Retry-After.
_TOO_LARGE = 413


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one client."""
    return _GotPolicy(retries, random)


class _GotPolicy:
    def __init__(self, retries: int, random: random.Random) -> None:
        self._retries = retries
        self._random = random

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt > self._retries or failed.method not in METHODS or not failed.replayable:
            return None
        if failed.outcome is Outcome.HTTP_ERROR:
            return self._after_status(failed)
        return Again(self._backoff_s(failed)) if node_code(failed, _TIMED_OUT) in CODES else None

    def _after_status(self, failed: FailedAttempt) -> Again | None:
        if failed.status not in STATUSES:
            return None
        if failed.retry_after_s:
            # maxRetryAfter defaults to the request's timeout; without one there is no limit
            too_late = failed.timeout_s is not None and failed.retry_after_s > failed.timeout_s
            return None if too_late else Again(failed.retry_after_s)
        return None if failed.status == _TOO_LARGE else Again(self._backoff_s(failed))

    def _backoff_s(self, failed: FailedAttempt) -> float:
        return float(_FIRST_DELAY_S * 2 ** (failed.attempt - 1) + self._random.random() * _NOISE_S)

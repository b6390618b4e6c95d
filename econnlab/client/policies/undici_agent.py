"""undici's RetryAgent. Without it neither undici nor Node's fetch tries again."""

from __future__ import annotations

import random

from econnlab.client.policies._node_codes import node_code
from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "undici"
HELP = "undici's RetryAgent: idempotent methods, 0.5 s doubling to 30 s, Retry-After; a cut body by Range"
SOURCE = "undici 7.30.2, lib/handler/retry-handler.js, RetryHandler"
KIND = "model"
RETRIES = 5

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
STATUSES = frozenset({500, 502, 503, 504, 429})
CODES = frozenset(
    "ECONNRESET ECONNREFUSED ENOTFOUND ENETDOWN ENETUNREACH EHOSTDOWN EHOSTUNREACH EPIPE "
    "UND_ERR_SOCKET".split()
)
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_TIMED_OUT = "UND_ERR_HEADERS_TIMEOUT"


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one agent."""
    return _UndiciPolicy(retries)


class _UndiciPolicy:
    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._wants_rest = False

    def after(self, failed: FailedAttempt) -> Again | None:
        wanted_rest = self._wants_rest and failed.attempt > 1
        self._wants_rest = False
        if failed.attempt > self._retries or failed.method not in METHODS or not failed.replayable:
            return None
        if wanted_rest and failed.head_read:
            return None  # part of the body was delivered already, so only a 206 could have followed
        if failed.outcome is Outcome.HTTP_ERROR:
            return Again(self._delay_s(failed)) if failed.status in STATUSES else None
        if self._code(failed) not in CODES:
            return None
        self._wants_rest = failed.head_read or wanted_rest
        return Again(self._delay_s(failed), rest_only=self._wants_rest)

    @staticmethod
    def _code(failed: FailedAttempt) -> str | None:
        if failed.outcome in (Outcome.CLOSED, Outcome.TRUNCATED):
            return "UND_ERR_SOCKET"  # "other side closed"
        return node_code(failed, _TIMED_OUT)

    @staticmethod
    def _delay_s(failed: FailedAttempt) -> float:
        if failed.retry_after_s and failed.retry_after_s > 0:
            return min(failed.retry_after_s, _LONGEST_DELAY_S)
        return float(min(_FIRST_DELAY_S * 2 ** (failed.attempt - 1), _LONGEST_DELAY_S))

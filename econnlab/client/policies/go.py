"""Go's net/http Transport: it retries only on reused connections, and only what can be sent again."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "go"
HELP = "Go's net/http: reused connections only; GET, HEAD, OPTIONS, TRACE, or nothing written yet"
SOURCE = (
    "Go 1.19.8 and 1.26, src/net/http/transport.go, persistConn.shouldRetryRequest and mapRoundTripError; "
    "request.go, Request.isReplayable"
)
KIND = "model"
#: Go has no count: it stops with the last connection of the pool (transport.go, DefaultMaxIdleConnsPerHost).
RETRIES = 2

_REPLAYABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NO_ANSWER = (Outcome.RESET, Outcome.CLOSED)
_BROKEN = (Outcome.RESET, Outcome.BROKEN_PIPE)


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one Transport."""
    return _GoPolicy(retries)


class _GoPolicy:
    def __init__(self, retries: int) -> None:
        self._retries = retries

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt > self._retries or not failed.connected or not failed.reused:
            return None
        if not failed.replayable or failed.answered:
            return None
        # nothingWrittenError; if a FIN was seen first it is errServerClosedIdle, and then the method decides
        if not failed.sent and failed.outcome in _BROKEN:
            return Again()
        if failed.method not in _REPLAYABLE and not failed.idempotency_key:
            return None
        # transportReadFromServerError or errServerClosedIdle; a write error is neither
        return Again() if failed.outcome in _NO_ANSWER else None

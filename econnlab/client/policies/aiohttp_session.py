"""aiohttp's client: one silent second try of idempotent methods."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "aiohttp"
HELP = "aiohttp's ClientSession: one more try of an idempotent method, reused connection or not"
SOURCE = "aiohttp 3.14.5, client.py, ClientSession._request, IDEMPOTENT_METHODS"
KIND = "model"
RETRIES = 1
#: There is no setting for it (client.py, retry_persistent_connection).
FIXED = True

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
#: ClientOSError and ServerDisconnectedError; half a head is the latter.
_DISCONNECTED = (Outcome.RESET, Outcome.CLOSED, Outcome.BROKEN_PIPE, Outcome.TRUNCATED)


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one session."""
    return _AiohttpPolicy(min(retries, RETRIES))


class _AiohttpPolicy:
    def __init__(self, retries: int) -> None:
        self._retries = retries

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt > self._retries or failed.method not in IDEMPOTENT or not failed.replayable:
            return None
        if not failed.connected or failed.head_read:
            return None  # ClientConnectorError; a ClientPayloadError, which comes from reading the body later
        other_errno = failed.outcome is Outcome.OTHER and failed.errno is not None
        return Again() if failed.outcome in _DISCONNECTED or other_errno else None

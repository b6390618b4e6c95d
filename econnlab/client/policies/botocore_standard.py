"""botocore's standard mode, the AWS SDKs' default: any operation, while the retry quota lasts."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "botocore"
HELP = "botocore's standard mode: any method, jitter from 0 to 50 ms doubling, a token bucket"
SOURCE = (
    "botocore 1.44.8, retries/standard.py, RetryHandler.needs_retry; retries/quota.py; "
    "httpsession.py, URLLib3Session.send"
)
KIND = "model"
#: DEFAULT_MAX_ATTEMPTS is 3 in all.
RETRIES = 2

STATUSES = frozenset({500, 502, 503, 504})
_THROTTLED = 429
_CAPACITY = 500
_COST = 14
_COST_THROTTLED = 5
_SCALE_S = 0.05
_SCALE_THROTTLED_S = 1.0
_LONGEST_DELAY_S = 20.0


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one AWS client, whose bucket serves all its requests."""
    return _BotocorePolicy(retries, random)


class _BotocorePolicy:
    """A token bucket. A rescued request returns its tokens; requests that never failed are not seen here."""

    def __init__(self, retries: int, random: random.Random) -> None:
        self._retries = retries
        self._random = random
        self._capacity = _CAPACITY
        #: Tokens that the last retry took; returned if no failure followed it.
        self._taken = 0

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt == 1:
            self._capacity = min(_CAPACITY, self._capacity + self._taken)
        self._taken = 0
        if failed.attempt > self._retries or not _retryable(failed) or not failed.replayable:
            return None
        throttled = failed.status == _THROTTLED
        cost = _COST_THROTTLED if throttled else _COST
        if cost > self._capacity:
            return None
        self._capacity -= cost
        self._taken = cost
        scale_s = _SCALE_THROTTLED_S if throttled else _SCALE_S
        # It ignores Retry-After and reads only AWS's x-amz-retry-after
        return Again(self._random.random() * min(scale_s * 2 ** (failed.attempt - 1), _LONGEST_DELAY_S))


def _retryable(failed: FailedAttempt) -> bool:
    if failed.outcome is Outcome.HTTP_ERROR:
        return failed.status in STATUSES or failed.status == _THROTTLED
    # send() calls urllib3 with enforce_content_length=False, so a body that ends early goes unnoticed
    return failed.outcome is not Outcome.TRUNCATED or not failed.head_read

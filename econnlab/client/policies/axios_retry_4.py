"""axios-retry 4.5 over a current axios (1.21)."""

from __future__ import annotations

import random

from econnlab.client.policies._axios import (
    AxiosPolicy,
    is_idempotent_request_error,
    is_network_error,
    seen,
)
from econnlab.client.retrying import FailedAttempt, Policy

NAME = "axios-retry-4"
HELP = "axios-retry 4.5 with axios 1: any method after a network error, 429 and Retry-After as well"
SOURCE = (
    "axios-retry 4.5.0, dist/esm/index.js, isNetworkOrIdempotentRequestError and handleRetry; "
    "is-retry-allowed 2.2.0; axios 1.21.1, lib/adapters/http.js"
)
KIND = "model"
RETRIES = 3


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one axios instance."""
    return AxiosPolicy(retries, _condition, _delay_s, least_timeout_s=None)


def _condition(failed: FailedAttempt) -> bool:
    # A cut body is "stream has been aborted". axios 1 passes the response on with it, so its 200 is neither a
    # network error nor a status to retry.
    error = seen(failed, failed.status)
    return is_network_error(error) or is_idempotent_request_error(error, too_many_requests=True)


def _delay_s(failed: FailedAttempt) -> float:
    """``noDelay``: the time of Retry-After, without a limit."""
    return max(0.0, failed.retry_after_s or 0.0) if failed.head_read else 0.0

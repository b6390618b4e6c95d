"""axios-retry 3.2, the article's cure, over the axios of its time (0.22)."""

from __future__ import annotations

import random

from econnlab.client.policies._axios import (
    AxiosPolicy,
    is_idempotent_request_error,
    is_network_error,
    seen,
)
from econnlab.client.retrying import FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "axios-retry-3"
HELP = "axios-retry 3.2 with axios 0.22: any method after a network error, no delay, a shrinking timeout"
SOURCE = (
    "axios-retry 3.2.0, es/index.js, isNetworkOrIdempotentRequestError and axiosRetry; "
    "is-retry-allowed 1.2.0; axios 0.22.0, lib/adapters/http.js"
)
KIND = "model"
RETRIES = 3
#: "Minimum 1ms timeout (passing 0 or less to XHR means no timeout)".
_LEAST_TIMEOUT_S = 0.001


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one axios instance."""
    return AxiosPolicy(retries, condition, lambda failed: 0.0, _LEAST_TIMEOUT_S)


def condition(failed: FailedAttempt) -> bool:
    """``isNetworkOrIdempotentRequestError`` over an axios before 1."""
    # A cut body is an error of the response's stream; axios 0.22 passes it on without the response.
    error = seen(failed, failed.status if failed.outcome is Outcome.HTTP_ERROR else None)
    return is_network_error(error) or is_idempotent_request_error(error, too_many_requests=False)

"""curl without --retry. (With --retry it repeats other failures, but not resets.)"""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "curl"
HELP = "curl by itself: any method, when a reused connection died before a byte of the response"
SOURCE = "curl 7.88.1 and 8.11, lib/transfer.c, Curl_retry_request, called from lib/multi.c, multi_runsingle"
KIND = "model"
RETRIES = 5
#: There is no setting for it (Curl_retry_request, CONN_MAX_RETRIES).
FIXED = True

_NO_ANSWER = (Outcome.RESET, Outcome.CLOSED)


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one easy handle."""
    return _CurlPolicy(min(retries, RETRIES))


class _CurlPolicy:
    def __init__(self, retries: int) -> None:
        self._retries = retries

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt > self._retries or not failed.connected or not failed.reused:
            return None
        if failed.answered or not failed.replayable:
            return None
        # CURLE_RECV_ERROR, or an end without an answer; CURLE_SEND_ERROR only before a byte of the request
        # was sent
        broke_first = failed.outcome is Outcome.BROKEN_PIPE and not failed.sent
        return Again() if failed.outcome in _NO_ANSWER or broke_first else None

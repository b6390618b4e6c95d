"""curl by itself: what it does without --retry, which is another thing and leaves resets alone."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, Failed, Policy
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
    """One easy handle's."""
    return _Policy(min(retries, RETRIES))


class _Policy:
    def __init__(self, retries: int) -> None:
        self._retries = retries

    def after(self, failed: Failed) -> Again | None:
        if failed.attempt > self._retries or not failed.connected or not failed.reused:
            return None
        if failed.answered or not failed.replayable:
            return None
        # CURLE_RECV_ERROR, or an end without an answer; CURLE_SEND_ERROR only as the request begins to go out
        broke_first = failed.outcome is Outcome.BROKEN_PIPE and not failed.sent
        return Again() if failed.outcome in _NO_ANSWER or broke_first else None

"""nginx in front of two servers, with proxy_next_upstream at its default."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.record.attempts import Outcome

NAME = "nginx"
HELP = "nginx with proxy_next_upstream at its default and one more server: no POST, LOCK, PATCH once sent"
SOURCE = (
    "nginx 1.22.1, src/http/ngx_http_upstream.c, ngx_http_upstream_next and ngx_http_upstream_send_request; "
    "proxy_next_upstream error timeout; proxy_next_upstream_tries 0"
)
KIND = "model"
#: How many other servers it can ask.
RETRIES = 1

_NOT_IDEMPOTENT = frozenset({"POST", "LOCK", "PATCH"})
#: NGX_HTTP_UPSTREAM_FT_ERROR, which half a head is as well.
_ERRORS = (
    Outcome.RESET,
    Outcome.CLOSED,
    Outcome.BROKEN_PIPE,
    Outcome.TRUNCATED,
    Outcome.REFUSED,
)


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one upstream."""
    return _NginxPolicy(retries)


class _NginxPolicy:
    def __init__(self, retries: int) -> None:
        self._servers = retries + 1
        self._left = 0

    def after(self, failed: FailedAttempt) -> Again | None:
        if failed.attempt == 1:
            self._left = self._servers
        is_error = failed.outcome in _ERRORS or (failed.outcome is Outcome.OTHER and not failed.connected)
        if not (is_error and failed.reused):
            self._left -= 1  # an error on a kept connection is not counted: peer.cached, tries++
        if self._left <= 0 or failed.head_read:
            return None  # the head has been read, so the response is on its way to the client
        # request_sent is set as the first write begins; with proxy_request_buffering off, the body is gone by
        # then
        if failed.sent and (failed.method in _NOT_IDEMPOTENT or not failed.replayable):
            return None
        return Again() if is_error or failed.outcome is Outcome.TIMEOUT else None

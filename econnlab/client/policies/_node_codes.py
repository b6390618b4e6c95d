"""Node's ``error.code``, the only thing that retry libraries on Node look at."""

from __future__ import annotations

from econnlab.client.retrying import FailedAttempt
from econnlab.record.attempts import Outcome

#: Node gives ECONNRESET for an RST ("read ECONNRESET") and for an end without an answer ("socket hang up",
#: lib/_http_client.js, socketOnEnd), so the code alone does not tell them apart.
_CODES = {
    Outcome.RESET: "ECONNRESET",
    Outcome.CLOSED: "ECONNRESET",
    Outcome.TRUNCATED: "ECONNRESET",
    Outcome.BROKEN_PIPE: "EPIPE",
    Outcome.REFUSED: "ECONNREFUSED",
}


def node_code(failed: FailedAttempt, timeout: str) -> str | None:
    """The code of ``failed``; ``timeout`` is the client library's own code for its timeouts."""
    if failed.outcome is Outcome.TIMEOUT:
        return failed.errno or timeout
    return _CODES.get(failed.outcome, failed.errno)

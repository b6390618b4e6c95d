"""Something on the way had forgotten the connection."""

from __future__ import annotations

from econnlab.explain.evidence import LOST, Case
from econnlab.explain.verdict import Finding, certain, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

NAME = "idle_drop"
HELP = "a middlebox had dropped the idle connection: it answers the next packet with RST, or with nothing"


def explain(case: Case) -> Finding | None:
    """The link's ledger says that it discarded what the client sent."""
    if case.link is None or case.attempt.outcome not in LOST | {Outcome.TIMEOUT, Outcome.TRUNCATED}:
        return None
    expired = case.link.first(Kind.EXPIRED)
    discarded = case.link.first(Kind.DISCARDED, "client", case.attempt.sent)
    if expired is None or discarded is None or expired.idle_s is None:
        return None
    answer = "answered the next packet with RST" if discarded.how else "dropped the next packet silently"
    return certain(
        f"the middlebox had forgotten this connection after {ms(expired.idle_s)} idle and {answer}; "
        "neither side had closed it"
    )

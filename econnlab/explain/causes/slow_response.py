"""The server took longer to answer than the client waits."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome

NAME = "slow_response"
HELP = "the server took the request and had not answered when the client gave up"


def explain(case: Case) -> Finding | None:
    """A timeout after the server had read the request; without its ledger, any timeout of a sent one."""
    attempt = case.attempt
    if attempt.outcome is not Outcome.TIMEOUT or attempt.sent is None:
        return None
    waited = ms(attempt.ended - attempt.sent)
    if case.server is None:
        return likely(f"no answer came within {waited}, and nothing ended the connection")
    if case.reached is None:
        return None
    return certain(f"server had read the request and not answered when the client gave up after {waited}")

"""The server answered, and the answer was an error."""

from __future__ import annotations

from econnlab.explain.causes.over_capacity import SERVICE_UNAVAILABLE
from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

NAME = "error_response"
HELP = "the server answered with an error status"


def explain(case: Case) -> Finding | None:
    """A whole response with a status of 400 or more that no limit of connections accounts for."""
    attempt = case.attempt
    if attempt.outcome is not Outcome.HTTP_ERROR:
        return None
    if case.server is not None and case.server.first(Kind.DROPPED) is not None:
        return None
    if case.server is None and attempt.status == SERVICE_UNAVAILABLE and case.around.open_connections:
        return None
    return certain(f"server answered {attempt.status}")

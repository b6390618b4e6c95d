"""The server answered, and the answer was an error."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain
from econnlab.record.attempts import Outcome

HELP = "the server answered with an error status"
COLUMN = 6
ADVICE = "It answered with an error; its log should say why."


def explain(case: Case) -> Finding | None:
    """A whole response with a status of 400 or more."""
    attempt = case.attempt
    if attempt.outcome is not Outcome.HTTP_ERROR:
        return None
    return certain(f"server answered {attempt.status}")

"""The server's process ended, and took all of its connections along."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = (
    "the server ended most of its connections at once, as when its process ends; what came after is not known"
)
#: Found in captures alone: a run knows what became of its server.
OF_CAPTURES = True
ADVICE = (
    "Its process seems to have ended at these times: look into its log, and for the out-of-memory killer, a "
    "deployment or a supervisor."
)


def explain(case: Case) -> Finding | None:
    """Most connections ended together, and no timer explains it; afterwards no connection was tried."""
    facts, outcome = case.packets, case.attempt.outcome
    if facts is None or not facts.retired or facts.together is None or facts.accepted_next:
        return None
    if outcome not in LOST | {Outcome.TRUNCATED}:
        return None
    return likely(
        f"server ended {facts.together.closed} of its {facts.together.stood} connections within a few ms, "
        "however long they had been idle; whether it came back the capture does not show"
    )

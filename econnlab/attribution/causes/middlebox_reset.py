"""An RST that does not come from the server, by its looks."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "something between client and server sent the RST in the server's name"
ADVICE = (
    "An RST was sent in this server's name: look at firewalls, intrusion prevention and balancers "
    "between the two."
)


def explain(case: Case) -> Finding | None:
    """Its TTL, or its number, is not that of the server's other packets."""
    facts = case.packets
    if facts is None or not facts.other_machine or case.attempt.outcome is Outcome.HTTP_ERROR:
        return None
    if facts.ttls is not None:
        return likely(
            f"the RST came with TTL {facts.ttls[1]}, the server's other packets with {facts.ttls[0]}"
        )
    assert facts.idents is not None
    return likely(
        f"the RST had IP identification {facts.idents[1]}, the server's packet before it {facts.idents[0]}"
    )

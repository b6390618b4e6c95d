"""An RST that does not come from the server, by its looks."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "something between client and server sent an RST in the name of one of them"
ADVICE = (
    "An RST was sent that is not this server's or its client's: look at firewalls, intrusion prevention and "
    "balancers between the two."
)


def explain(case: Case) -> Finding | None:
    """Its TTL, or its number, is not that of the sender's other packets, or it came in both names at once."""
    facts = case.packets
    if facts is None or not facts.other_machine or case.attempt.outcome is Outcome.HTTP_ERROR:
        return None
    whose = "client" if facts.client_end is not None else "server"
    if facts.both_names:
        return likely("RSTs came in both names at once; an end that gets an RST does not answer it with one")
    if facts.ttls is not None:
        return likely(
            f"the RST came with TTL {facts.ttls[1]}, the {whose}'s other packets with {facts.ttls[0]}"
        )
    assert facts.idents is not None
    return likely(
        f"the RST had IP identification {facts.idents[1]}, the {whose}'s packet before it {facts.idents[0]}"
    )

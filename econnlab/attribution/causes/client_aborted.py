"""The client ended the connection before it had the whole response."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import gave_up
from econnlab.attribution.verdict import Finding, likely, ms
from econnlab.record.attempts import Outcome

HELP = "the client itself ended the connection before it had the whole response"


def explain(case: Case) -> Finding | None:
    """By its packets: its FIN or RST came first, and the response was not whole, or had not begun."""
    facts, attempt = case.packets, case.attempt
    if facts is None or facts.missing:
        return None
    if attempt.outcome is Outcome.OTHER and "by the client" in facts.note:
        return likely(f"client ended its request itself: {facts.note}")
    if facts.client_end is None or facts.client_ended is None:
        return None
    if attempt.outcome is Outcome.TIMEOUT and facts.acknowledged and facts.sent and not gave_up(facts):
        return likely(
            f"client sent {facts.client_end} {ms(facts.client_ended - facts.sent)} after its request, too "
            "soon to have given up; a server that takes this for the end does not answer"
        )
    if attempt.outcome is not Outcome.OTHER or not facts.cut:
        return None
    of = f" of {facts.expected}" if facts.expected is not None else ""
    return likely(f"client sent {facts.client_end} after {facts.received}{of} bytes of the response")

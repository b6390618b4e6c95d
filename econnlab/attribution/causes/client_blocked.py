"""The client took a connection, was held up before it wrote, and meanwhile the server closed it."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts, client_held_it
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason

HELP = "the client took the connection and wrote late; the server had closed it in between"
COLUMN = 2
ADVICE = (
    "The client takes connections and writes late. Find what blocks it, and make it check a connection "
    "just before it writes."
)


def explain(case: Case) -> Finding | None:
    """Sent at once, the request would have arrived before the close; sent when it was, it came after."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if not case.attempt.reused or not case.unanswered or case.held_up_s is None:
        return None
    if case.close_reason is not CloseReason.IDLE_TIMEOUT or case.server_close is None or case.arrival is None:
        return None
    return certain(
        f"client took this connection and wrote {ms(case.held_up_s)} later; server closed it "
        f"{ms(case.arrival - case.server_close.at)} before the request arrived"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not case.attempt.reused or not case.unanswered or not facts.crossed or not client_held_it(facts):
        return None
    if facts.ended is None or facts.sent is None:
        return None
    return likely(
        f"client began with this request {ms(facts.held_s or 0.0)} before it wrote (X-Request-Start); "
        f"server closed {ms(facts.sent - facts.ended)} before the request"
    )

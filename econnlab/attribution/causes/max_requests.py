"""The server closes a connection after a number of requests."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason, Kind

HELP = "the server had reached its limit of requests per connection and closed without announcing it"
COLUMN = 11
ADVICE = (
    "It closes connections after a number of requests. Make it send Connection: close with the last "
    "response, or raise the limit."
)


def explain(case: Case) -> Finding | None:
    """The server's ledger says so, and it had not read this request."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.server is None or case.close_reason is not CloseReason.MAX_REQUESTS or not case.unanswered:
        return None
    if case.reached is not None:
        return None
    served = sum(event.kind == Kind.RESPONSE for event in case.server.events)
    return certain(
        f"server closed this connection after its {served} requests, its limit, without Connection: close"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not case.attempt.reused or not case.unanswered or not facts.crossed or not facts.at_limit:
        return None
    return likely(
        f"server closed this connection {ms(facts.idle_s)} after response {facts.responses}, as it did "
        f"{facts.same_limit} connections after as many"
    )

"""The server closed a connection that it had promised to keep."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason, Kind

HELP = "the server closed soon after a response that did not say Connection: close"
COLUMN = 3
ADVICE = (
    "It closes connections that it promised to keep. Make it send Connection: close, or keep them for the "
    "time it promises."
)


def explain(case: Case) -> Finding | None:
    """Closed by the application, no idle timer fired, nothing of this request read, the last one answered."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if not case.attempt.reused or not case.unanswered or case.server is None:
        return None
    close = case.server_close
    if case.close_reason is not CloseReason.ABORTED or close is None or case.reached is not None:
        return None
    answers = [event for event in case.server.events if event.kind == Kind.RESPONSE and event.at <= close.at]
    if not answers:
        return None
    return certain(
        f"server closed this connection with {(close.how or '').upper()} {ms(close.at - answers[-1].at)} "
        "after its response, which had not said Connection: close"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not case.attempt.reused or not case.unanswered or not facts.crossed or not facts.broke_its_word:
        return None
    if facts.advertised_s is not None:
        promise = f"which had said Keep-Alive: timeout={facts.advertised_s}"
    else:
        promise = f"and it has kept connections idle for {ms(facts.survived_s)}"
    return likely(f"server closed this connection {ms(facts.idle_s)} after its response, {promise}")

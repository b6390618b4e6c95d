"""The server answered before it had read the request, and closed."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "the server answered while the request was still being sent, and closed; with unread data that resets"
COLUMN = 5
ADVICE = (
    "It answers before it has read the upload. Make it read on before it closes, and clients wait for "
    "100 Continue."
)


def explain(case: Case) -> Finding | None:
    """A response to a request that was never read whole; the client got it, or lost it to the RST."""
    answer, close = case.of_request(Kind.RESPONSE), case.server_close
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if answer is None or case.reached is not None:
        return None
    if case.attempt.outcome not in LOST | {Outcome.HTTP_ERROR}:
        return None
    said = f"server answered {answer.status} before it had read the request"
    if case.attempt.outcome is Outcome.HTTP_ERROR:
        return certain(said)
    if close is None or close.at > case.attempt.ended:
        return certain(f"{said}, and the client was still sending")
    return certain(
        f"{said}, and closed with {close.unread or 0} bytes unread: the RST came before the client had "
        "read the answer"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    attempt = case.attempt
    if attempt.first_byte is None or not facts.missing or attempt.status is None:
        return None
    ended = f", and ended the connection with {facts.end}" if facts.end is not None else ""
    return certain(
        f"server answered {attempt.status} with {facts.missing} bytes of the request not yet sent{ended}"
    )

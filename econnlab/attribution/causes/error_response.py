"""The server answered, and the answer was an error."""

from __future__ import annotations

from econnlab.attribution.causes.header_timeout import REQUEST_TIMEOUT
from econnlab.attribution.causes.over_capacity import SERVICE_UNAVAILABLE
from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

NAME = "error_response"
HELP = "the server answered with an error status"
ADVICE = "It answered with an error of its own: its log tells why."

_WITH_A_CAUSE_OF_THEIR_OWN = ("early_response", "header_timeout")


def explain(case: Case) -> Finding | None:
    """A whole response with a status of 400 or more that no limit of connections accounts for."""
    attempt = case.attempt
    if attempt.outcome is not Outcome.HTTP_ERROR:
        return None
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.server is not None and (
        case.server.first(Kind.DROPPED) is not None or case.close_reason in _WITH_A_CAUSE_OF_THEIR_OWN
    ):
        return None
    if case.server is None and attempt.status == REQUEST_TIMEOUT:
        return None
    if case.server is None and attempt.status == SERVICE_UNAVAILABLE and case.around.open_connections:
        return None
    return certain(f"server answered {attempt.status}")


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    attempt = case.attempt
    full = attempt.status == SERVICE_UNAVAILABLE and facts.beside and not attempt.reused
    if full or facts.missing or attempt.status == REQUEST_TIMEOUT:
        return None
    return certain(f"server answered {attempt.status}")

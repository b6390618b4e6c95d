"""The server process was replaced by another one."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import CloseReason, Kind

HELP = "the server was restarted and closed the connections of its clients"
#: What packets alone can say.
HELP_FROM_PACKETS = "most of the server's connections ended at once and it went on accepting, as in a restart"
COLUMN = 18
ADVICE = (
    "It closes connections when it restarts: let it drain first, answering with Connection: close, and "
    "take it out of the balancer before."
)


def explain(case: Case) -> Finding | None:
    """Closed because the process retired, before this request was answered."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    close = case.server_close
    if case.close_reason is not CloseReason.RETIRED or close is None:
        return None
    if not case.unanswered and case.attempt.outcome is not Outcome.TRUNCATED:
        return None
    if case.of_request(Kind.RESPONSE) is not None:
        return None
    began = case.around.first(Kind.RETIRING, until=close.at)
    since = f"{ms(close.at - began.at)} after its restart began " if began is not None else ""
    if case.reached is not None:
        return certain(f"server closed this connection {since}with the request read and not answered")
    if close.unread:
        return certain(
            f"server closed this connection {since}with {close.unread} bytes of the request unread"
        )
    return certain(f"server closed this connection, idle, {since}and before the request arrived")


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    together = facts.together
    if not facts.retired or together is None or not facts.accepted_next:
        return None
    if not case.unanswered and case.attempt.outcome is not Outcome.TRUNCATED:
        return None
    reached = "with the request read and not answered" if facts.end_covers else "before the request arrived"
    return likely(
        f"server closed {together.closed} of its {together.stood} connections within a few ms, however long "
        f"they had been idle, and went on accepting; this one {reached}"
    )

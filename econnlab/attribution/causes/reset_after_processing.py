"""The server carried the request out and ended the connection instead of answering."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason, Kind

HELP = "the server carried the request out and ended the connection before the answer: a retry does it twice"
#: What packets alone can say.
HELP_FROM_PACKETS = (
    "the server had the request and ended the connection in place of an answer: it may have carried it out"
)
COLUMN = 16
ADVICE = (
    "It ends connections on which it has the request: its own log tells why. Do not repeat a POST "
    "blindly; give it an idempotency key."
)


def explain(case: Case) -> Finding | None:
    """Carried out, not a byte answered, then closed by the application."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    done, close = case.of_request(Kind.PROCESSED), case.server_close
    if done is None or close is None or case.close_reason is not CloseReason.ABORTED or not case.unanswered:
        return None
    if case.of_request(Kind.RESPONSE) is not None or case.of_request(Kind.PARTIAL) is not None:
        return None
    return certain(
        f"server carried the request out and {ms(close.at - done.at)} later ended the connection with "
        f"{(close.how or '').upper()}, before any answer"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    """The server's kernel had the request; what was done with it, packets cannot say."""
    if not case.unanswered or not facts.end_covers or facts.ended is None or facts.sent is None:
        return None
    if facts.tls_server or not facts.is_read:
        return None
    what = "bytes that look like a request (TLS hides them)" if facts.tls_client else "this request"
    return likely(
        f"server had {what}, and {ms(facts.ended - facts.sent)} later ended the connection with "
        f"{facts.end} in place of an answer: it may have carried it out"
    )

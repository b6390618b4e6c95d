"""A middlebox had forgotten the connection."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import End, PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind, Party

HELP = "a middlebox had dropped the idle connection: it answers the next packet with RST, or with nothing"
COLUMN = 8
ADVICE = (
    "Something between forgets idle connections: let clients close theirs well before {timeout}, or "
    "send TCP keep-alive probes more often than that."
)


def explain(case: Case) -> Finding | None:
    """The link's ledger says that it discarded what the client sent."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.link is None or case.attempt.outcome not in LOST | {Outcome.TIMEOUT, Outcome.TRUNCATED}:
        return None
    expired = case.link.first(Kind.EXPIRED)
    discarded = case.link.first(Kind.DISCARDED, Party.CLIENT, case.attempt.sent)
    if expired is None or discarded is None or expired.idle_s is None:
        return None
    answer = "answered the next packet with RST" if discarded.how else "dropped the next packet silently"
    return certain(
        f"the middlebox had forgotten this connection after {ms(expired.idle_s)} idle and {answer}; "
        "neither side had closed it"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    attempt = case.attempt
    if not attempt.reused or attempt.first_byte is not None or facts.sent is None:
        return None
    idle = ms(attempt.idle_s or 0.0)
    if facts.kept_by is not None and facts.end is not End.FIN:
        answer = f"answered it with {facts.end}" if facts.end is not None else "said nothing"
        return likely(
            f"{facts.kept_by} took the request, after {idle} idle, passed nothing on and {answer}; the "
            "connection "
            "behind it had not been closed"
        )
    if facts.end is End.RST_NO_SOCKET and not facts.end_covers:
        return likely(
            f"after {idle} idle the request was answered with an RST of a host that knew no such connection, "
            "and no "
            "FIN had come: a middlebox had dropped it"
        )
    if facts.end is None and facts.sent_again > 1 and not facts.acknowledged:
        return likely(
            f"after {idle} idle the request was sent {facts.sent_again + 1} times and never acknowledged: "
            "a middlebox "
            "had dropped the connection"
        )
    return None

"""The queue of connections that wait to be accepted was full."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "the listen queue was full: the kernel dropped the handshake's end, or answered it with RST"
COLUMN = 1
ADVICE = (
    "Its listen queue is too short for its bursts: raise the backlog and net.core.somaxconn, and find "
    "out why it accepts late."
)

_MET = {Outcome.TIMEOUT, Outcome.RESET, Outcome.CLOSED, Outcome.BROKEN_PIPE}


def explain(case: Case) -> Finding | None:
    """A new connection that the server never accepted, while the kernel counted overflows of its queue."""
    attempt = case.attempt
    if case.packets is not None:
        return _from_packets(case, case.packets)
    overflows = case.around.counters.get("ListenOverflows", 0)
    if attempt.reused or attempt.outcome not in _MET or case.server is None or not overflows:
        return None
    accepted = case.server.first(Kind.ACCEPTED)
    if accepted is not None and accepted.at <= attempt.ended:
        return None
    if attempt.outcome is Outcome.TIMEOUT and case.sent_again is False:
        return None  # its request was acknowledged: the connection stands in the queue
    waited = ms(attempt.ended - (attempt.sent or attempt.began))
    met = "dropped silently" if attempt.outcome is Outcome.TIMEOUT else "answered with RST"
    sure = case.around.own_counters and (case.sent_again or attempt.outcome is not Outcome.TIMEOUT)
    finding = certain if sure else likely
    return finding(
        f"server had not accepted this connection {waited} after the request was sent, and the kernel "
        f"counted {overflows} overflows of the listen queue: the handshake's last ACK was {met}"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if case.attempt.reused or case.attempt.outcome not in _MET or facts.acknowledged:
        return None
    if not facts.silent:
        return None
    if facts.refused_at_end:
        return likely("the handshake's last ACK was answered with RST: no room in the listen queue")
    if not facts.synack_again and not (facts.sent_again and facts.overflow_near):
        return None
    if not facts.synack_again:
        return likely(
            f"server's kernel did not acknowledge the request, sent {facts.sent_again + 1} times; "
            "other connections of that time found its listen queue full"
        )
    again = f"{facts.synack_again} time{'s' if facts.synack_again != 1 else ''} more"
    return likely(
        f"server's kernel sent its SYN-ACK {again} and acknowledged nothing, though the client had "
        f"confirmed the handshake and sent its request {facts.sent_again + 1} times: the queue was full"
    )

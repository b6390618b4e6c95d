"""Packets were too large for the path, and the sender did not make them smaller."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "packets were too large for the path, a router said so, and they were sent as large again"
#: Found in captures alone: the lab's own runs have no such failure.
OF_CAPTURES = True
ADVICE = (
    "A router reports that packets do not fit: let ICMP through to the sender, lower the MTU, or clamp the "
    "MSS at the tunnel."
)
_MET = {Outcome.TIMEOUT, Outcome.RESET, Outcome.CLOSED}


def explain(case: Case) -> Finding | None:
    """ICMP fragmentation needed (IPv6: packet too big), and retransmissions without an ACK."""
    facts = case.packets
    if facts is None or not facts.icmp.startswith("fragmentation needed") or not facts.in_vain:
        return None
    if facts.acknowledged or case.attempt.outcome not in _MET:
        return None
    limit = f" (at most {facts.mtu} bytes)" if facts.mtu else ""
    return likely(
        f"{facts.icmp_by} answered with ICMP {facts.icmp}{limit}, and the same bytes were sent "
        f"{facts.sent_again + 1} times without an ACK"
    )

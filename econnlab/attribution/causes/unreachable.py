"""Nothing at all answered the SYN."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome

HELP = (
    "no host answered the connection's SYN: none is there, a firewall drops it, or the listen queue is full"
)
ADVICE = "Nothing answers there: check the address, the firewall, and whether the listen queue is full."


def explain(case: Case) -> Finding | None:
    """SYNs, sent again, and not a packet in return."""
    facts = case.packets
    if facts is None or facts.answered_handshake or case.attempt.outcome is not Outcome.TIMEOUT:
        return None
    if facts.sent is not None:
        return None
    times = f"{facts.syns} SYN{'s were' if facts.syns != 1 else ' was'} sent"
    if facts.icmp:
        return certain(f"{times}, and {facts.icmp_by} answered with ICMP {facts.icmp}")
    return likely(f"{times}, and nothing came back")

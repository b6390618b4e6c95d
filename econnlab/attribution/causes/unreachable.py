"""Nothing at all answered the SYN."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "nothing answered the connection's SYN: no host there, a firewall that drops, or a full listen queue"
ADVICE = "Nothing answers there: check the address, the firewall, and whether the listen queue is full."


def explain(case: Case) -> Finding | None:
    """SYNs, sent again, and not a packet in return."""
    facts = case.packets
    if facts is None or facts.answered_handshake or case.attempt.outcome is not Outcome.TIMEOUT:
        return None
    return likely(f"{facts.syns} SYNs were sent, and nothing came back") if facts.sent is None else None

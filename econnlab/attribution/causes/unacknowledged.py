"""Nothing acknowledged what the client sent: the path or the host was gone."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import End
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "the client sent the same bytes again and again, and nothing acknowledged them: path or host had gone"
#: Found in captures alone: the lab's own runs have no such failure.
OF_CAPTURES = True
ADVICE = (
    "Packets to it vanish on connections in use: look for a firewall or route that changed, a host that "
    "went down, or a path that drops large packets."
)
_MET = {Outcome.TIMEOUT, Outcome.RESET, Outcome.CLOSED}


def explain(case: Case) -> Finding | None:
    """Retransmissions without an ACK on a connection that had not been idle."""
    facts = case.packets
    if facts is None or not facts.in_vain or facts.acknowledged or case.attempt.outcome not in _MET:
        return None
    then = ""
    if facts.end is End.RST_NO_SOCKET:
        then = "; then an RST came of a host that knew no such connection"
    elif facts.end is not None:
        then = f"; then the server sent {facts.end}"
    beside = f"; {facts.icmp_by} sent ICMP {facts.icmp}" if facts.icmp else ""
    return likely(
        f"the same bytes were sent {facts.sent_again + 1} times within {facts.in_vain_s:.3g} s "
        f"(retransmissions), and not acknowledged{then}{beside}"
    )

"""A host looks for open ports; no request was lost."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import SCAN_PORTS, End
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "a host looked for open ports; no request was sent, and none lost"


def explain(case: Case) -> Finding | None:
    """Refused at many ports of one host, or a handshake that its own client reset without a byte."""
    facts = case.packets
    if facts is None or facts.sent is not None or facts.refused_ports < SCAN_PORTS:
        return None
    if case.attempt.outcome is Outcome.REFUSED:
        return likely(f"refused, as at {facts.refused_ports} ports of this host")
    if facts.client_end is not None and facts.client_end is not End.FIN and not facts.tls_client:
        return likely(
            f"client reset the connection unused; at {facts.refused_ports} ports of this host it was refused"
        )
    return None

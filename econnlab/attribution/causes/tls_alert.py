"""One side ended the TLS handshake with an alert that says why."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain

HELP = "one side refused the TLS handshake, and its alert says why"
#: Found in captures alone: clients of the lab tell it in words of their own.
OF_CAPTURES = True
ADVICE = (
    "The TLS handshake is refused with a reason: compare versions, ciphers, server name and certificates."
)


def explain(case: Case) -> Finding | None:
    """An alert in the clear, other than close_notify, before both sides had finished."""
    facts = case.packets
    if facts is None or not facts.tls_client or not facts.alert or facts.handshake_done:
        return None
    by = "server" if facts.alert_by_server else "client"
    return certain(f"{by} ended the TLS handshake with the alert {facts.alert}")

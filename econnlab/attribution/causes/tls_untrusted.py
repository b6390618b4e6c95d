"""The client did not accept the server's certificate."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely

HELP = "the client did not accept the server's certificate, and ended the connection itself"
COLUMN = 22


def explain(case: Case) -> Finding | None:
    """The client's TLS library said so; nothing of the request was sent."""
    if case.packets is not None:
        return _from_packets(case.packets)
    if "SSLCertVerificationError" not in case.attempt.error:
        return None
    return certain(
        "client refused the server's certificate (SSLCertVerificationError); where it is your own, name its "
        "authority in REQUESTS_CA_BUNDLE"
    )


def _from_packets(facts: PacketFacts) -> Finding | None:
    if not facts.tls_client or facts.sent is not None or facts.handshake_done:
        return None
    if facts.alert_about_certificate and not facts.alert_by_server:
        return certain(f"client refused the server's certificate: its alert says {facts.alert}")
    if facts.client_end is None or facts.silent or facts.alert:
        return None  # it had not seen a certificate, or an alert says another reason
    return likely(
        f"client ended the TLS handshake with {facts.client_end}, as one does that does not accept the "
        "certificate"
    )

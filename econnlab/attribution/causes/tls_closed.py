"""The connection ended inside the TLS handshake."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.events import CloseReason, Kind

HELP = "the connection ended inside the TLS handshake, and nothing in the clear said why"
COLUMN = 20
ADVICE = (
    "It ends TLS handshakes and does not say why: check the server name, protocol versions and what "
    "stands in front of it."
)


def explain(case: Case) -> Finding | None:
    """No byte of the request was sent, and OpenSSL met the end: by the server's or the client's word."""
    attempt = case.attempt
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if (
        attempt.reused
        or attempt.sent is not None
        or attempt.outcome not in LOST
        or "SSL" not in attempt.error
    ):
        return None
    if case.server is None:
        return likely(f"the connection ended before TLS stood: {attempt.error.rpartition(' < ')[2]}")
    close, established = case.server_close, case.server.first(Kind.HANDSHAKE) is not None
    if close is None or case.close_reason is not CloseReason.ABORTED or established:
        return None
    return certain(f"server closed with {(close.how or '').upper()} in the middle of the TLS handshake")


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not facts.tls_client or case.attempt.sent is not None or case.attempt.outcome not in LOST:
        return None
    if facts.end is None or facts.handshake_done or facts.alert:
        return None
    return likely(f"server ended the connection with {facts.end} in the middle of the TLS handshake")

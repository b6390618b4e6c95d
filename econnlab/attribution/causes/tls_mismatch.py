"""One side spoke TLS and the other did not."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome
from econnlab.record.events import CloseReason

HELP = "one side spoke TLS and the other plain HTTP"
COLUMN = 21
ADVICE = "One side speaks TLS and the other does not. Check scheme and port."


def explain(case: Case) -> Finding | None:
    """The server could not read the request, and the client spoke the other protocol."""
    attempt = case.attempt
    if case.packets is not None:
        return _from_packets(case.packets)
    client_speaks_tls = "SSL" in attempt.error
    if case.server is None:
        wrong = client_speaks_tls and attempt.outcome is Outcome.OTHER and "Verification" not in attempt.error
        return likely("the answer to the TLS handshake was not TLS") if wrong else None
    if client_speaks_tls and case.close_reason is CloseReason.BAD_REQUEST:
        return certain("client began a TLS handshake, and the server, which speaks plain HTTP, answered 400")
    plain = not client_speaks_tls and attempt.outcome in LOST | {Outcome.OTHER}
    close = case.server_close
    failed = close is not None and close.close_reason is CloseReason.TLS_FAILED
    if plain and close is not None and failed and attempt.sent is not None:
        return certain(f"client spoke plain HTTP to a server that speaks TLS ({close.detail}), which closed")
    return None


def _from_packets(facts: PacketFacts) -> Finding | None:
    if facts.tls_client and facts.plain_server:
        return certain("client began a TLS handshake, and the server answered in plain HTTP")
    if not facts.tls_client and facts.tls_server:
        return certain("client spoke plain HTTP, and the server answered with a TLS alert")
    return None

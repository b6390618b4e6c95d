"""An RST that nobody lost anything to."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import End, PacketFacts
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "an RST on a connection on which everything had been answered, or nothing asked"


def explain(case: Case) -> Finding | None:
    """No request was under way."""
    facts, attempt = case.packets, case.attempt
    if facts is None or attempt.outcome is not Outcome.OTHER or facts.cut or facts.tls_server:
        return None
    if facts.sent is None:
        return _unused(facts)
    who = f"server sent {facts.end}"
    if facts.client_end is not None:
        who = f"client sent {facts.client_end}"
    elif facts.end is End.FIN:
        who = "client sent RST after the server's FIN"
    if not facts.is_read:
        return likely(f"{who}; its protocol is not read, so that what it cost cannot be told")
    if facts.tls_client:
        return likely(f"{who} when no request was under way, as far as TLS lets it be seen")
    return likely(f"{who} when every request on this connection had been answered")


def _unused(facts: PacketFacts) -> Finding | None:
    if not facts.from_beginning:
        return likely("an RST on a connection that is older than the capture, and nothing was asked in it")
    if facts.tls_client:
        return likely(
            f"{'client' if facts.client_end is not None else 'server'} ended an unused TLS connection"
        )
    if facts.client_end in (End.RST, End.RST_NO_SOCKET):
        return likely("client reset the connection unused: a health check, one made ahead, or a scan")
    first = "client closed" if facts.client_end is not None else f"server sent {facts.end}"
    return likely(f"{first} on a connection on which nothing had been asked")

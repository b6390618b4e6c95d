"""An RST that nobody lost anything to."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.packets.facts import End
from econnlab.explain.verdict import Finding, likely
from econnlab.record.attempts import Outcome

NAME = "harmless_reset"
HELP = "an RST on a connection on which everything had been answered, or nothing asked"
#: Found in captures alone: the lab's own runs have no such failure.
OF_CAPTURES = True


def explain(case: Case) -> Finding | None:
    """No request was under way."""
    facts, attempt = case.packets, case.attempt
    if facts is None or attempt.outcome is not Outcome.OTHER or facts.cut or facts.tls_server:
        return None
    if facts.sent is None:
        if facts.tls_client or facts.client_end not in (None, End.FIN):
            return None  # tls_untrusted, port_scan
        first = "client closed" if facts.client_end is not None else f"server sent {facts.end}"
        return likely(f"{first} on a connection on which nothing had been asked")
    who = f"client sent {facts.client_end}" if facts.client_end is not None else f"server sent {facts.end}"
    return likely(f"{who} when every request on this connection had been answered")

"""The client ended the connection in the middle of the response."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, likely
from econnlab.record.attempts import Outcome

NAME = "client_aborted"
HELP = "the client itself ended the connection before it had the whole response"
#: Found in captures alone: the lab's own runs have no such failure.
OF_CAPTURES = True


def explain(case: Case) -> Finding | None:
    """By its packets: its FIN or RST came first, and the response was not whole."""
    facts, attempt = case.packets, case.attempt
    if facts is None or facts.client_end is None or not facts.cut or facts.missing:
        return None
    if attempt.outcome is not Outcome.OTHER:
        return None
    of = f" of {facts.expected}" if facts.expected is not None else ""
    return likely(f"client sent {facts.client_end} after {facts.received}{of} bytes of the response")

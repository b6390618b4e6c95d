"""The connection ended in the middle of the response."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "the server ended the connection in the middle of its response"
COLUMN = 17
ADVICE = (
    "It breaks off its answers: look into its log for a failed handler, a full disk or a killed worker "
    "at these times."
)

_CUT = {Outcome.TRUNCATED, Outcome.RESET, Outcome.CLOSED, Outcome.OTHER}


def explain(case: Case) -> Finding | None:
    """By the server's own word it handed over a part only; else the client saw bytes and then the end."""
    attempt = case.attempt
    if attempt.outcome not in _CUT:
        return None
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.server is not None:
        return _from_server_ledger(case)
    if attempt.first_byte is None or attempt.outcome is Outcome.OTHER:
        return None
    packet = "an RST" if attempt.outcome is Outcome.RESET else "a FIN"
    return likely(f"{attempt.bytes_read} bytes of a response came, then {packet} in place of the rest")


def _from_server_ledger(case: Case) -> Finding | None:
    part, close = case.of_request(Kind.PARTIAL), case.server_close
    if part is None or close is None:
        return None
    return certain(
        f"server closed with {(close.how or '').upper()} after {part.bytes} bytes of its response; "
        f"the client had read {case.attempt.bytes_read}"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not facts.cut or facts.end is None:
        return None
    if facts.tls_client:
        return likely(
            f"server sent {facts.end} right behind {facts.received} bytes of its response, without a "
            "close_notify; TLS hides whether they were all"
        )
    if facts.cut_unseen:
        return likely(
            f"server sent {facts.end} right behind {facts.received} bytes of a chunked response, which would "
            "have let the connection live; its last bytes were not captured"
        )
    of = f" of {facts.expected}" if facts.expected is not None else ""
    return certain(f"server sent {facts.received} bytes{of} of its response and then {facts.end}")

"""The server closed the connection with the request unread in its kernel: RST at once, a true ECONNRESET."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import End, PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason, ConnectionEvent, Kind

HELP = "the server closed the connection with the request unread in its kernel, which answers with RST"
#: What packets alone can say.
HELP_FROM_PACKETS = "the server reset the connection over a request: unread in its kernel, or with linger 0"
COLUMN = 23
ADVICE = (
    "Its idle timer fires with a request unread, as its process is busy. Make its clients close idle "
    "connections after {limit}, or set its timeout above theirs. Find what blocks its loop."
)


def explain(case: Case) -> Finding | None:
    """A reused connection, ended by an RST without FIN while the request waited to be read."""
    if not case.attempt.reused or not case.unanswered:
        return None
    if case.packets is not None:
        return _from_packets(case.packets)
    if case.server is not None:
        return _from_server_ledger(case)
    if not case.reset_without_fin:
        return None
    if case.link is not None:
        return _from_link_ledger(case)
    return likely(
        f"the reused connection, idle for {ms(case.attempt.idle_s or 0)}, was reset without a FIN: "
        "the server closed it with the request unread, or with linger 0; only the client's side is known"
    )


def _from_server_ledger(case: Case) -> Finding | None:
    assert case.server is not None
    close, timer = case.server_close, case.server.first(Kind.IDLE_TIMEOUT)
    if close is not None and case.close_reason is CloseReason.ABORTED and close.unread:
        return certain(f"server closed with {close.unread} bytes of this request unread: close() sent RST")
    if close is None or timer is None or timer.idle_s is None or case.reached is not None:
        return None
    fired = f"server's idle timer fired after {ms(timer.idle_s)}"
    if close.unread:
        return certain(
            f"{fired} with {close.unread} bytes of this request unread{_blocked(case, timer)}: "
            "close() sent RST"
        )
    if close.how == "fin" and case.reset_without_fin:
        return certain(f"{fired} as the request came in, and close() sent RST without FIN")
    return None


def _blocked(case: Case, timer: ConnectionEvent) -> str:
    """Says so if the server's loop was blocked when the timer was due."""
    blocks = [event for event in case.around.events if event.kind == Kind.BUSY and event.at <= timer.at]
    if not blocks or timer.due is None or blocks[-1].began is None or blocks[-1].at < timer.due:
        return ""
    return f" (its loop was blocked for {ms(blocks[-1].at - blocks[-1].began)})"


def _from_link_ledger(case: Case) -> Finding | None:
    rst, arrival = case.server_rst, case.arrival
    if rst is None or rst.began is None or arrival is None or arrival > rst.began:
        return None
    return likely(
        f"server sent RST and no FIN, {ms(rst.began - arrival)} after the request arrived: "
        "closed with the request unread, or with linger 0"
    )


def _from_packets(facts: PacketFacts) -> Finding | None:
    if facts.end is not End.RST or not facts.end_covers or facts.ended is None or facts.sent is None:
        return None
    return likely(
        f"server sent RST with ACK, and no FIN, {ms(facts.ended - facts.sent)} after the request, which "
        "its kernel "
        f"had, and {ms(facts.idle_s)} after its last byte: closed with the request unread, or with linger 0"
    )

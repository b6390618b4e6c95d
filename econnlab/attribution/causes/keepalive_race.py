"""The server's idle timer ended the connection while the next request was on its way, or before it left."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import LONG_BEFORE_S, End, PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import Kind, Party

HELP = "the server closed the idle connection before the request that reused it arrived"
COLUMN = 10
ADVICE = (
    "It closes idle connections after {timeout}: let its clients close theirs after {limit}, or set its "
    "timeout above the longest of theirs. A retry is safe for GET, HEAD, PUT and DELETE."
)


def explain(case: Case) -> Finding | None:
    """A reused connection, closed for idleness, nothing of the request read."""
    if not case.attempt.reused or not case.unanswered:
        return None
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.server is not None:
        return _from_server_ledger(case)
    if case.link is not None:
        return _from_link_ledger(case)
    return _from_client_alone(case)


def _from_server_ledger(case: Case) -> Finding | None:
    assert case.server is not None
    close, timer = case.server_close, case.server.first(Kind.IDLE_TIMEOUT)
    if close is None or timer is None or timer.idle_s is None or case.reached is not None:
        return None
    how = "closed this connection" if close.how == "fin" else "reset this connection"
    return certain(f"server {how} after {ms(timer.idle_s)} idle, {_crossing(case, close.at)}")


def _from_link_ledger(case: Case) -> Finding | None:
    fin = case.server_fin
    if fin is None or fin.began is None:
        return None
    if case.arrival is not None and case.arrival < fin.began and not _met_no_socket(case):
        return None
    assert case.link is not None
    answers = [event for event in case.link.events if event.kind == Kind.BYTES and event.side == Party.SERVER]
    idle = (
        f" after {ms(fin.began - answers[-1].began)} idle"
        if answers and answers[-1].began is not None
        else ""
    )
    return likely(f"server's FIN left{idle}, {_crossing(case, fin.began)}")


def _met_no_socket(case: Case) -> bool:
    """The link saw the FIN after it had passed the request on, and yet the FIN had left before.

    The server's RST came after its FIN, and nothing but the request could call for it (RFC 9293, 3.10.7.1):
    an open socket would have taken it, and close() over unread bytes sends no FIN.
    """
    assert case.link is not None
    asked = [event for event in case.link.events if event.kind == Kind.BYTES and event.side == Party.CLIENT]
    fin, rst = case.server_fin, case.server_rst
    if fin is None or rst is None or fin.began is None or rst.began is None or not asked:
        return False
    return fin.began <= rst.began and asked[-1].at == case.arrival


def _from_client_alone(case: Case) -> Finding:
    idle = case.attempt.idle_s
    return likely(
        f"this connection had been idle for {ms(idle or 0)} when it was reused, "
        "and ended before a byte of the response; only the client's side is known"
    )


def _crossing(case: Case, closed: float) -> str:
    sent, arrival = case.attempt.sent, case.arrival
    if case.server_fin is not None and sent is not None and case.server_fin.at <= sent:
        return f"its FIN reached the client {ms(sent - case.server_fin.at)} before the request left"
    if arrival is not None:
        # The server over bare loopback may note the close a moment after the kernel has done it, as may the
        # link.
        return f"{ms(max(0.0, arrival - closed))} before the request arrived"
    if sent is None:
        return "before the request left"
    # Closed after it had left: it was on its way, and had not arrived when this was said.
    return f"{ms(abs(sent - closed))} {'before' if sent >= closed else 'after'} the request left"


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if not facts.crossed or facts.ended is None or facts.sent is None or facts.end is End.RST_NO_SOCKET:
        return None  # an RST without ACK only answers what came to a connection that was gone before
    gap = facts.sent - facts.ended
    crossing = f"{ms(gap)} before the request" if gap >= 0 else f"{ms(-gap)} after the request had left"
    known = "which says that none of the request had come" if gap < 0 else "none of which it had seen"
    unlooked = "; a look at the connection before its reuse would have told" if gap > LONG_BEFORE_S else ""
    return likely(f"server's {facts.end} came after {ms(facts.idle_s)} idle, {crossing}, {known}{unlooked}")

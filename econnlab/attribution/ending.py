"""How a connection ended, apart from what the client saw: who sent FIN or RST first, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from econnlab.attribution.evidence import Case
from econnlab.record.attempts import Outcome
from econnlab.record.events import CloseReason, Kind, Party

#: For each close reason but the client's own ends.
REASONS = {
    CloseReason.IDLE_TIMEOUT: "its idle timer fired",
    CloseReason.HEADER_TIMEOUT: "no request came in time",
    CloseReason.CONNECTION_CLOSE: "as announced",
    CloseReason.MAX_REQUESTS: "it had reached its limit of requests",
    CloseReason.OVER_CAPACITY: "it was over capacity",
    CloseReason.EARLY_RESPONSE: "it had answered early",
    CloseReason.ABORTED: "the application ended it",
    CloseReason.RETIRED: "its process was replaced",
    CloseReason.BAD_REQUEST: "what came was not HTTP",
    CloseReason.TLS_FAILED: "the TLS handshake failed",
    CloseReason.SHUTDOWN: "the run was over",
}


@dataclass(frozen=True)
class ConnectionEnd:
    """The first packet that ended a connection."""

    by: Party
    #: ``FIN`` or ``RST``.
    packet: str
    #: Seconds on the monotonic clock, as close to the sender as known.
    at: float
    #: Why that packet, in words.
    why: str

    def __str__(self) -> str:
        return f"{self.by} sent {self.packet}: {self.why}"


def ending_of(case: Case) -> ConnectionEnd | None:
    """What ended it first, of all that is known up to the attempt's end; None if nothing did."""
    found = [ending for ending in _candidates(case) if ending.at <= case.attempt.ended]
    return min(found, key=lambda ending: ending.at, default=None)


def _candidates(case: Case) -> Iterator[ConnectionEnd]:
    attempt = case.attempt
    if attempt.outcome is Outcome.REFUSED:
        yield ConnectionEnd(
            Party.SERVER,
            "RST",
            attempt.ended,
            "the kernel's answer to a SYN: no process listens on the port",
        )
    yield from _by_server(case)
    if case.link is not None:
        yield from _by_link(case)


def _by_server(case: Case) -> Iterator[ConnectionEnd]:
    close = case.server_close
    if close is not None:
        reason = close.close_reason
        if reason is not None and reason.by_client:
            return  # it only answered the client's end
        why = close.reason or "" if reason is None else REASONS[reason]
        if close.detail:
            why += f" ({close.detail})"
        if close.how == "rst":
            why += f", with {close.unread} bytes unread" if close.unread else ", with linger 0"
        yield ConnectionEnd(Party.SERVER, (close.how or "").upper(), close.at, why)
        return
    died = case.around.first(Kind.DIED)
    accepted = case.server.first(Kind.ACCEPTED) if case.server is not None else None
    if died is not None and accepted is not None:
        reset = case.attempt.outcome is Outcome.RESET or case.server_rst is not None
        why = "the kernel closed what the dead process had open" + (", with bytes unread" if reset else "")
        # The kernel closed the sockets before SIGCHLD arrived: the client's time is nearer.
        yield ConnectionEnd(Party.SERVER, "RST" if reset else "FIN", min(died.at, case.attempt.ended), why)


def _by_link(case: Case) -> Iterator[ConnectionEnd]:
    assert case.link is not None
    for event in case.link.events:
        began = event.at if event.began is None else event.began
        if event.kind in (Kind.FIN, Kind.RST) and (case.server is None or event.side == Party.CLIENT):
            by = Party.CLIENT if event.side == Party.CLIENT else Party.SERVER
            yield ConnectionEnd(by, event.kind.upper(), began, "as the link saw it")
        elif event.kind == Kind.DISCARDED and event.how == "rst":
            yield ConnectionEnd(
                Party.MIDDLEBOX, "RST", event.at, "its answer to a packet of a connection it had forgotten"
            )
        elif event.kind == Kind.CONNECT_FAILED:
            yield ConnectionEnd(Party.SERVER, "RST", event.at, f"the link could not connect ({event.errno})")

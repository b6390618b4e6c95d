"""How a connection died, judged apart from what the client saw of it: who sent FIN or RST first, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from econnlab.attribution.evidence import Case
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

SERVER, CLIENT, MIDDLEBOX = "server", "client", "middlebox"
_REASONS = {
    "idle_timeout": "its idle timer fired",
    "over_capacity": "it was over capacity",
    "connection_close": "as announced",
    "max_requests": "it had reached its limit of requests",
    "header_timeout": "no request came in time",
    "early_response": "it had answered early",
    "retired": "its process was replaced",
    "aborted": "the application ended it",
    "bad_request": "what came was not HTTP",
    "shutdown": "the run was over",
}


@dataclass(frozen=True)
class Ending:
    """The first packet that ended a connection."""

    #: ``server``, ``client`` or ``middlebox``.
    by: str
    #: ``FIN`` or ``RST``.
    packet: str
    #: Seconds on the monotonic clock, as near to its sender as is known.
    at: float
    #: Why that packet, in words.
    why: str

    def __str__(self) -> str:
        return f"{self.by} sent {self.packet}: {self.why}"


def ending_of(case: Case) -> Ending | None:
    """The first of all that is known to have ended it up to the attempt's end; None where nothing is."""
    found = [ending for ending in _candidates(case) if ending.at <= case.attempt.ended]
    return min(found, key=lambda ending: ending.at, default=None)


def _candidates(case: Case) -> Iterator[Ending]:
    attempt = case.attempt
    if attempt.outcome is Outcome.REFUSED:
        yield Ending(
            SERVER, "RST", attempt.ended, "the kernel's answer to a SYN for a port where nobody listens"
        )
    yield from _by_server(case)
    if case.link is not None:
        yield from _by_link(case)


def _by_server(case: Case) -> Iterator[Ending]:
    close = case.server_close
    if close is not None:
        reason = close.reason or ""
        if reason.startswith("client_"):
            return  # it only answered the client's own end
        why = _REASONS.get(reason, reason)
        if close.how == "rst":
            why += f", with {close.unread} bytes unread" if close.unread else ", with linger 0"
        yield Ending(SERVER, (close.how or "").upper(), close.at, why)
        return
    died = case.around.first(Kind.DIED)
    accepted = case.server.first(Kind.ACCEPTED) if case.server is not None else None
    if died is not None and accepted is not None:
        reset = case.attempt.outcome is Outcome.RESET or case.server_rst is not None
        why = "the kernel closed what the dead process had open" + (", with bytes unread" if reset else "")
        # Its sockets closed before its parent heard of it, so the client's word is the nearer one.
        yield Ending(SERVER, "RST" if reset else "FIN", min(died.at, case.attempt.ended), why)


def _by_link(case: Case) -> Iterator[Ending]:
    assert case.link is not None
    for event in case.link.events:
        began = event.at if event.began is None else event.began
        if event.kind in (Kind.FIN, Kind.RST) and (case.server is None or event.side == CLIENT):
            yield Ending(event.side or "", event.kind.upper(), began, "as the link saw it")
        elif event.kind == Kind.DISCARDED and event.how == "rst":
            yield Ending(
                MIDDLEBOX, "RST", event.at, "its answer to a packet of a connection it had forgotten"
            )
        elif event.kind == Kind.CONNECT_FAILED:
            yield Ending(SERVER, "RST", event.at, f"the link could not connect ({event.errno})")

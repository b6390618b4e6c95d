"""``peers check``: holds what a client says of its attempts against the ledger of its server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from econnlab.discovery import parts
from econnlab.lab.client_peer import KINDS
from econnlab.lab.lab import Lab
from econnlab.peers.catalogue import peers_called, version_here
from econnlab.record.attempts import Attempt, Outcome
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.record.run import Run
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.model import Plan, Scenario
from econnlab.scenario.server import Ending, Fault, ServerSpec, Stage

_SESSIONS, _REQUESTS = 2, 3
_INTERVAL_MS = Decimal(60)
#: The server enters a request after the client has sent it; both read the same clock.
_CLOCK_S = 0.002


@dataclass(frozen=True)
class Checked:
    """One rule of the protocol, and what broke it."""

    rule: str
    broken: tuple[str, ...]


def check_client(kind: str) -> Iterator[Checked]:
    """Run the client and yield each rule. Raises EnvironmentProblem if it does not start, or breaks off."""
    if kind in parts(KINDS):  # the lab would run its own; the version makes it the peer
        kind = f"{kind}@{next(version_here(peer) for peer in peers_called(kind))}"
    answered = _run(kind, ServerSpec(keepalive_timeout_ms=Decimal(5000)), _REQUESTS)
    yield from _of_answers(answered)
    fault = Fault(Stage.UNREAD, Ending.RST)
    yield from _of_failures(_run(kind, ServerSpec(fault=fault), 1))


def _run(kind: str, server: ServerSpec, requests: int) -> Run:
    plan = Plan((_INTERVAL_MS,), _SESSIONS, requests)
    with Lab(Scenario("client protocol", server=server, client=ClientSpec(kind), plan=plan)) as lab:
        for _ in lab.requests():
            pass
    return lab.run


def _of_answers(run: Run) -> Iterator[Checked]:
    attempts = [attempt for request in run.requests for attempt in request.attempts]
    asked = {
        f"{session}-{number}" for session in range(1, _SESSIONS + 1) for number in range(1, _REQUESTS + 1)
    }
    ledger = {event.request_id: event for event in run.events if event.kind == Kind.REQUEST}
    came = {each.request_id for each in attempts}
    yield Checked("each request is reported", tuple(sorted(asked - came)))
    yield Checked("each request carries its id in X-Econnlab-Request", tuple(sorted(asked - set(ledger))))
    yield Checked(
        "each is answered with a status", _those(attempts, lambda each: each.outcome is not Outcome.OK)
    )
    yield Checked("times are in order", _those(attempts, lambda each: not _ordered(each)))
    yield Checked("no request is sent before it is due", _those(attempts, _early))
    yield Checked(
        "times are of CLOCK_MONOTONIC", _those(attempts, lambda each: not _on_the_clock(each, ledger))
    )
    yield Checked("local is the connection's own address", _wrong_addresses(run, attempts))
    yield Checked(
        "a session reuses its connection and says so",
        _those(attempts, lambda each: each.reused != (each.request > 1)),
    )


def _of_failures(run: Run) -> Iterator[Checked]:
    attempts = [request.last for request in run.requests]
    yield Checked("a reset is reported as an error", _those(attempts, lambda each: not each.error))
    yield Checked("the error has a name", _those(attempts, lambda each: not each.named))
    yield Checked("the error tells the outcome", _those(attempts, lambda each: each.outcome is Outcome.OTHER))


def _those(attempts: list[Attempt], wrong: Callable[[Attempt], bool]) -> tuple[str, ...]:
    return tuple(each.request_id for each in attempts if wrong(each))


def _ordered(attempt: Attempt) -> bool:
    times = [attempt.began, attempt.sent, attempt.first_byte, attempt.ended]
    known = [time for time in times if time is not None]
    return known == sorted(known) and len(known) == len(times)


def _early(attempt: Attempt) -> bool:
    return (
        attempt.planned is not None and attempt.sent is not None and attempt.sent < attempt.planned - _CLOCK_S
    )


def _on_the_clock(attempt: Attempt, ledger: dict[str | None, ConnectionEvent]) -> bool:
    entry = ledger.get(attempt.request_id)
    if entry is None or attempt.sent is None:
        return False
    return attempt.sent - _CLOCK_S <= entry.at <= attempt.ended + _CLOCK_S


def _wrong_addresses(run: Run, attempts: list[Attempt]) -> tuple[str, ...]:
    peers = {event.connection: event.peer for event in run.events if event.kind == Kind.ACCEPTED}
    of_request = {
        event.request_id: peers.get(event.connection)
        for event in run.events
        if event.kind == Kind.REQUEST and event.source == Source.SERVER
    }
    return tuple(each.request_id for each in attempts if each.local != of_request.get(each.request_id))

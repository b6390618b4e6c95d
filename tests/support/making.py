"""Values for tests, with everything that a test does not speak of filled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from econnlab.attribution.evidence import Case, Surroundings, Trace
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.record.run import Facts, Run
from econnlab.scenario.links import NONE, PROFILES
from econnlab.scenario.model import Plan, Scenario


def attempt(**given: Any) -> Attempt:
    """A request that was answered on a new connection, sent at 100 s and ended at 100.004 s."""
    values: dict[str, Any] = {
        "row": 0,
        "session": 1,
        "request": 1,
        "number": 1,
        "request_id": "1-1",
        "method": "GET",
        "planned": 99.9995,
        "began": 99.9998,
        "sent": 100.0,
        "first_byte": 100.004,
        "ended": 100.004,
        "connection": 1,
        "local": "127.0.0.1:40001",
        "reused": False,
        "idle_s": None,
        "outcome": Outcome.OK,
        "status": 200,
        "bytes_read": 120,
        "error": "",
        "errno": None,
        "send_errno": None,
        "keep_alive": "timeout=5",
        "connection_header": "keep-alive",
    }
    return Attempt(**{**values, **given})


def lost(outcome: Outcome = Outcome.CLOSED, **given: Any) -> Attempt:
    """The session's second request, lost before a byte of the response on a connection idle for 4.9983 s."""
    values: dict[str, Any] = {
        "request": 2,
        "request_id": "1-2",
        "reused": True,
        "idle_s": 4.9983,
        "outcome": outcome,
        "status": None,
        "first_byte": None,
        "bytes_read": 0,
        "error": "ConnectionError < ProtocolError < RemoteDisconnected",
        "keep_alive": None,
        "connection_header": None,
    }
    return attempt(**{**values, **given})


def server(kind: Kind, at: float, connection: int | None = 1, **details: Any) -> ConnectionEvent:
    """A line of the server's ledger."""
    return ConnectionEvent(at=at, source=Source.SERVER, kind=kind, connection=connection, **details)


def link(kind: Kind, at: float, connection: int | None = 1, **details: Any) -> ConnectionEvent:
    """A line of the link's ledger."""
    return ConnectionEvent(at=at, source=Source.LINK, kind=kind, connection=connection, **details)


def lab(kind: Kind, at: float, **details: Any) -> ConnectionEvent:
    """A line of the lab's own."""
    return ConnectionEvent(at=at, source=Source.LAB, kind=kind, **details)


def case(
    failed: Attempt,
    server: list[ConnectionEvent] | None = None,
    link: list[ConnectionEvent] | None = None,
    wide: list[ConnectionEvent] | None = None,
    **given: Any,
) -> Case:
    """A case on Linux; a ledger that is not given is not known."""
    around = Surroundings(given.pop("system", "Linux"), tuple(wide or ()), given.pop("open_connections", 0))
    return Case(
        failed,
        None if server is None else Trace(tuple(server)),
        None if link is None else Trace(tuple(link)),
        around,
    )


FACTS = Facts(
    started="2026-11-23T03:00:00+00:00",
    began=95.0,
    kernel="Linux 6.18.0",
    processors=2,
    versions={
        "econnlab": "0.1.0",
        "python": "3.11.7",
        "requests": "2.34.2",
        "urllib3": "2.8.0",
        "h11": "0.16.0",
    },
)


def run(
    *requests: Attempt | tuple[Attempt, ...], events: list[ConnectionEvent] | None = None, **scenario: Any
) -> Run:
    """A run of these requests, each an attempt or several; bare loopback unless ``link`` names a profile."""
    tried = [each if isinstance(each, tuple) else (each,) for each in requests]
    plan = scenario.pop("plan", Plan((Decimal(4990),), 1, max(len(tried), 1)))
    profile = PROFILES[scenario.pop("link", NONE.name)]
    made = Scenario(scenario.pop("name", "keepalive"), link=profile, plan=plan, **scenario)
    return Run(made, FACTS, [Request(tries) for tries in tried], list(events or []))

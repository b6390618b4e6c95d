"""Whether the trouble that a scenario is about met the client, by the ledgers of the server and the link.

A scenario has one trouble: the first one in ``_TROUBLES`` that it sets. A trouble that strikes between two
requests meets only a client that reuses connections and still has requests to make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from econnlab.commands.check.calm import Baseline
from econnlab.record.events import CloseReason, ConnectionEvent, Kind
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Ending, ServerSpec, Stage

Events = Sequence[ConnectionEvent]
Struck = Callable[[Events, int], bool]


@dataclass(frozen=True)
class Trouble:
    """One kind of trouble."""

    #: Whether a server with these settings makes it.
    set_by: Callable[[ServerSpec], object]
    #: Whether it struck a client that has so many requests to make.
    struck: Struck
    #: It strikes between two requests, so it meets only a client that reuses connections.
    between_requests: bool = False


def met(events: Events, scenario: Scenario, calm: Baseline) -> bool:
    """Whether the trouble of ``scenario`` met a client that does what ``calm`` says without trouble.

    True if the scenario has no trouble, or no ledger could tell.
    """
    trouble = _trouble_of(scenario)
    if trouble is None:
        return True
    return (calm.reuses or not trouble.between_requests) and trouble.struck(events, calm.requests)


def _trouble_of(scenario: Scenario) -> Trouble | None:
    if scenario.middlebox is not None:
        return _FORGOTTEN
    if scenario.client.frozen_ms:
        return _FROZEN
    if scenario.server is None:
        return None
    if scenario.client.tls not in (None, scenario.server.tls):
        return _WRONG_PROTOCOL
    return next((each for each in _TROUBLES if each.set_by(scenario.server)), None)


def _saw(*kinds: Kind) -> Struck:
    return lambda events, requests: any(event.kind in kinds for event in events)


def _answered(status: Callable[[int], bool]) -> Struck:
    return lambda events, requests: any(
        event.kind == Kind.RESPONSE and event.status is not None and status(event.status) for event in events
    )


def _closed_for(*reasons: CloseReason) -> Struck:
    return lambda events, requests: any(
        event.kind == Kind.CLOSED and event.close_reason in reasons for event in events
    )


def _anywhere(events: Events, at: float) -> bool:
    return True


def _while_frozen(events: Events, at: float) -> bool:
    stops = (event for event in events if event.kind == Kind.FROZEN)
    return any(stop.began is not None and stop.began <= at <= stop.at for stop in stops)


def _closed_under_it(reason: CloseReason, when: Callable[[Events, float], bool] = _anywhere) -> Struck:
    """The server closed a connection for this reason while the client still had requests to make."""

    def struck(events: Events, requests: int) -> bool:
        closes = [
            event
            for event in events
            if event.kind == Kind.CLOSED and event.close_reason is reason and when(events, event.at)
        ]
        since = min((event.at for event in closes), default=None)
        if since is None:
            return False
        before = sum(event.kind == Kind.REQUEST and event.at <= since for event in events)
        return before < requests or any(event.unread for event in closes)

    return struck


def _is_between(spec: ServerSpec) -> bool:
    """The fault is a silent FIN behind a whole answer: an RST there can spoil the answer itself."""
    fault = spec.fault
    return fault is not None and fault.at is Stage.ANSWERED and fault.by is not Ending.RST


_FORGOTTEN = Trouble(bool, _saw(Kind.DISCARDED))
_FROZEN = Trouble(bool, _closed_under_it(CloseReason.IDLE_TIMEOUT, _while_frozen), between_requests=True)
_WRONG_PROTOCOL = Trouble(bool, _closed_for(CloseReason.TLS_FAILED, CloseReason.BAD_REQUEST))
_TROUBLES = (
    Trouble(_is_between, _closed_under_it(CloseReason.ABORTED), between_requests=True),
    Trouble(lambda spec: spec.fault, _saw(Kind.FAULT)),
    Trouble(
        lambda spec: spec.refuse_first or spec.max_connections is not None,
        _saw(Kind.DROPPED, Kind.ACCEPT_PAUSED),
    ),
    Trouble(lambda spec: spec.restart, _closed_for(CloseReason.RETIRED)),
    Trouble(
        lambda spec: spec.max_requests,
        _closed_under_it(CloseReason.MAX_REQUESTS),
        between_requests=True,
    ),
    Trouble(lambda spec: spec.header_timeout_ms is not None, _closed_for(CloseReason.HEADER_TIMEOUT)),
    Trouble(lambda spec: spec.max_body is not None, _answered(lambda status: status == 413)),
    Trouble(lambda spec: spec.status >= 400, _answered(lambda status: status >= 400)),
    Trouble(
        lambda spec: spec.keepalive_timeout_ms < ServerSpec().keepalive_timeout_ms,
        _closed_under_it(CloseReason.IDLE_TIMEOUT),
        between_requests=True,
    ),
    Trouble(lambda spec: spec.busy_for_ms, _saw(Kind.BUSY)),
)

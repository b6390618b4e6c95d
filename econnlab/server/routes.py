"""What the server does on certain paths: answer, delay and fault of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import h11

from econnlab.record.ledger import Ledger
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import Route, ServerSpec
from econnlab.server.faults import Faults
from econnlab.server.responses import Reply, route_answer


@dataclass(frozen=True)
class Routed:
    """A route as the server takes it."""

    route: Route
    answer: Reply
    #: None: as on other paths.
    delay_s: float | None
    faults: Faults | None


class Routes:
    """The routes of a server, in order."""

    def __init__(self, spec: ServerSpec, loop: asyncio.AbstractEventLoop, ledger: Ledger) -> None:
        self._routed = [
            Routed(
                route,
                route_answer(route, spec),
                None if route.delay_ms is None else seconds(route.delay_ms),
                None if route.fault is None else Faults(route.fault, loop, ledger),
            )
            for route in spec.routes
        ]

    def of(self, request: h11.Request | None) -> Routed | None:
        """The first route that ``request`` takes."""
        if request is None or not self._routed:
            return None
        path = request.target.partition(b"?")[0].decode("latin-1")
        return next((each for each in self._routed if each.route.matches(path)), None)

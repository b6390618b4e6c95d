"""One run of a scenario, from the first process started to the last one ended."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from econnlab.client.observer import Observer
from econnlab.client.session import ClientSession
from econnlab.clock import now
from econnlab.discovery import parts
from econnlab.lab.dispatcher import Dispatcher, Runner
from econnlab.lab.facts import gather_facts
from econnlab.lab.limits import descriptors_needed, ensure_descriptors
from econnlab.lab.listeners import bind, find_target
from econnlab.lab.processes import Child
from econnlab.lab.schedule import spread_starts
from econnlab.record.attempts import Request
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.record.run import Run
from econnlab.scenario.codec import encode
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Scenario
from econnlab.sockets import address

#: From the schedule's beginning to the first send: the first threads are ready by then.
LEAD_S = 0.02


class Lab:
    """A context manager: inside it the server, the link and the clients live, after it none of them does.

    ``run`` is filled as requests end (``requests``) and with the ledgers (``sync``; all of them at the end).
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._children: list[Child] = []
        self._dispatcher: Dispatcher | None = None
        self._dead: Child | None = None
        #: The event of that death, until it stands in the run.
        self._death: ConnectionEvent | None = None
        self._interrupted = False

    # -- beginning and end ------------------------------------------------------------------------

    def __enter__(self) -> Lab:
        ensure_descriptors(descriptors_needed(self.scenario))
        try:
            url, dial = self._start_processes()
            runners = self._runners(url, dial)
            for child in self._children:
                child.wait_until_listening()
            self._dispatcher = Dispatcher(runners)
            begin = now() + LEAD_S
            self.run = Run(self.scenario, gather_facts(begin))
            self._dispatcher.start(begin)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._take_events()
        planned = self.scenario.plan.total_requests
        self.run.interrupted = len(self.run.requests) < planned

    def _stop(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.stop()
        for child in self._children:
            child.tell_to_stop()
        for child in self._children:
            child.stop()

    def _start_processes(self) -> tuple[str, tuple[str, int]]:
        """Start server and link; the URL that clients ask, and where their connections go."""
        if self.scenario.server is not None:
            spec = self.scenario.server
            server = self._start("econnlab.server", bind(spec.host, spec.port), {"spec": encode(spec)})
            dial = ("127.0.0.1" if spec.host == "0.0.0.0" else spec.host, server.port)
            url = f"http://{address(dial)}/"
        else:
            assert self.scenario.url is not None
            target = find_target(self.scenario.url)
            url, dial = target.url, (target.host, target.port)
        if self.scenario.link.relayed:
            settings = {"spec": encode(self.scenario.link), "seed": self.scenario.seed, "upstream": dial}
            dial = ("127.0.0.1", self._start("econnlab.link", bind("127.0.0.1", 0), settings).port)
        return url, dial

    def _start(self, module: str, listener: socket.socket, settings: dict[str, Any]) -> Child:
        child = Child(module, listener, settings, lambda: self._on_death(child))
        self._children.append(child)
        return child

    def _runners(self, url: str, dial: tuple[str, int]) -> list[Runner]:
        plan, client = self.scenario.plan, self.scenario.client
        open_client = parts("econnlab.client.kinds")[client.kind].open_client
        # Interleaved, so that a session's number says nothing about its row.
        rows = [row for _ in range(plan.sessions) for row in range(len(plan.intervals_ms))]
        round_trip = self.scenario.link.round_trip_ms / 1000
        periods = [seconds(plan.intervals_ms[row]) + round_trip for row in rows]
        starts = (
            [0.0] * len(rows) if plan.together else spread_starts(periods, plan.requests, self.scenario.seed)
        )
        runners = []
        for number, (row, start) in enumerate(zip(rows, starts, strict=True), 1):
            observer = Observer(row, number, dial, stale_check=client.stale_check)
            session = ClientSession(open_client(url, client, observer), observer, client, number)
            runners.append(Runner(session, seconds(plan.intervals_ms[row]), plan.requests, start))
        return runners

    # -- while it runs ----------------------------------------------------------------------------

    def requests(self, tick_s: float | None = None) -> Iterator[Request | None]:
        """Every request as it ends, and None each ``tick_s`` seconds in which none did.

        Ends early when interrupted. Raises ProcessDied when the server or the link has ended by itself.
        """
        assert self._dispatcher is not None
        finished = self._dispatcher.finished
        while not self._interrupted and self._dead is None:
            try:
                item = finished.get(timeout=tick_s)
            except queue.Empty:
                yield None
                continue
            if item is None:
                break
            if item.crash is not None:
                raise item.crash
            assert item.request is not None
            self.run.requests.append(item.request)
            yield item.request
        if self._dead is not None:
            raise self._dead.death()

    def interrupt(self) -> None:
        """End the run early; may be called from a signal handler."""
        self._interrupted = True
        if self._dispatcher is not None:
            self._dispatcher.finished.put(None)

    def sync(self) -> None:
        """Bring the run's events up to this moment."""
        for child in self._children:
            child.sync()
        self._take_events()

    def _take_events(self) -> None:
        for child in self._children:
            self.run.events.extend(event for event in child.take_events() if event.kind != Kind.SYNC)
        if self._dead is not None and self._death is not None:
            self.run.events.append(self._death)
            self._death = None

    def _on_death(self, child: Child) -> None:
        """Called from the child's reading thread."""
        self._death = ConnectionEvent(now(), Source.LAB, Kind.DIED, reason=child.name)
        self._dead = child
        if self._dispatcher is not None:
            self._dispatcher.finished.put(None)

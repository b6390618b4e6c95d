"""What a scenario needs beside its clients, for the user's own client: server, link, middlebox, proxy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from econnlab.errors import EconnlabError, UsageProblem
from econnlab.lab.limits import start_thread
from econnlab.lab.topology import Topology
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.served import ServerLedger
from econnlab.scenario.model import Scenario
from econnlab.system.process import Starter, start_python
from econnlab.system.sockets import address

#: How often it checks whether the stage has ended, while nothing connects.
TICK_S = 0.2


def ensure_stageable(scenario: Scenario) -> None:
    """Raises UsageProblem for a scenario that only the lab's own clients can meet."""
    if scenario.kernel is not None:
        raise UsageProblem(
            f"{scenario.name} changes the kernel in a network of its own, which no client outside can reach.",
            f"Run it with `econnlab run {scenario.name}`, or take another scenario.",
        )
    if scenario.server is None:
        raise UsageProblem(
            f"{scenario.name} is about the server at {scenario.url}; this needs the lab's own server.",
            "Leave url out of the scenario.",
        )


class Stage:
    """A context manager: inside it clients can connect to ``url``.

    ``start`` starts each Python process (lab/warm.py is a quick way). ``capture`` is the descriptor of a file
    for every packet. The time to a planned restart counts
    from the first connection to the server, because the user's client takes some time to start.

    Raises UsageProblem for a scenario with kernel settings or without the lab's server, EnvironmentProblem
    if something cannot be started, ProcessDied if it ends before it listens.
    """

    def __init__(
        self, scenario: Scenario, *, start: Starter = start_python, capture: int | None = None
    ) -> None:
        ensure_stageable(scenario)
        self.scenario = scenario
        self._topology = Topology(scenario, self._on_failure, capture, start=start)
        self._lock = threading.Lock()
        self._events: list[ConnectionEvent] = []
        self._failure: EconnlabError | None = None
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        #: Where clients connect: to the proxy if there is one, or the link, or the server.
        self.url = ""

    def __enter__(self) -> Stage:
        try:
            self._topology.start()
            self._topology.wait_until_listening()
            scheme = urlsplit(self._topology.url).scheme
            self.url = f"{scheme}://{address(self._topology.dial)}/"
            if self._plans_restart:
                self._watcher = threading.Thread(target=self._await_first, name="econnlab-stage", daemon=True)
                start_thread(self._watcher)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        self._over.set()
        if self._watcher is not None and self._watcher.ident is not None:
            self._topology.wake()
            self._watcher.join()
        self._topology.stop()
        self._collect()

    def __repr__(self) -> str:
        return f"<stage of {self.scenario.name} at {self.url}>"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of ``url``."""
        return self._topology.dial

    @property
    def trusted(self) -> Path | None:
        """The file with the certificate authority that clients have to trust; None without TLS."""
        return None if self._topology.trusted is None else Path(self._topology.trusted)

    def events(self) -> list[ConnectionEvent]:
        """Everything in the ledgers up to now, each in its own order.

        Raises ProcessDied or LabFault if the server or the link has ended unplanned.
        """
        if not self._over.is_set():
            if self._failure is not None:
                raise self._failure
            self._topology.sync()
        self._collect()
        with self._lock:
            return list(self._events)

    def follow(self, stopped: Callable[[], bool]) -> Iterator[list[ConnectionEvent]]:
        """What happens, batch by batch, until ``stopped``; then the stage ends, and a last batch follows.

        Use it instead of ``events``. Raises ProcessDied or LabFault if the server ends unplanned.
        """
        while not stopped():
            self._topology.wait_for_news(TICK_S)
            yield self._topology.take_events()
            if self._failure is not None and not stopped():
                raise self._failure
        self._topology.stop()
        yield self._topology.take_events()

    def wait_for(self, kind: Kind, over: threading.Event) -> bool:
        """Wait until the server's ledger has an event of ``kind``. False if ``over`` is set before."""
        while not over.is_set():
            self._topology.wait_for_news(TICK_S)
            self._collect()
            with self._lock:
                if any(event.kind == kind for event in self._events):
                    return True
        return False

    @property
    def ledger(self) -> ServerLedger:
        """What the server has done for each request, up to the time of each question."""
        return ServerLedger(self.events)

    def _collect(self) -> None:
        with self._lock:
            self._events.extend(self._topology.take_events())

    def _on_failure(self, error: EconnlabError) -> None:
        self._failure = error

    # -- a restart --------------------------------------------------------------------------------

    @property
    def _plans_restart(self) -> bool:
        return self.scenario.server is not None and self.scenario.server.restart is not None

    def _await_first(self) -> None:
        """Count the time to the restart from the first connection."""
        seen = 0
        while not self._over.is_set():
            self._topology.wait_for_news(TICK_S)
            self._collect()
            with self._lock:
                new = self._events[seen:]
                seen += len(new)
            first = next((event for event in new if _is_arrival(event)), None)
            if first is not None:
                try:
                    self._topology.begin(first.at)
                except EconnlabError as error:
                    self._failure = error
                return


def _is_arrival(event: ConnectionEvent) -> bool:
    return event.source == "server" and event.kind == Kind.ACCEPTED

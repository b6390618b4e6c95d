"""What a scenario needs beside its clients, for anybody's client: server, link, middlebox, proxy."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from econnlab.errors import EconnlabError, UsageProblem
from econnlab.lab.limits import start_thread
from econnlab.lab.topology import Topology
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.served import ServerLedger
from econnlab.scenario.model import Scenario
from econnlab.system.process import Starter, start_python
from econnlab.system.sockets import address

#: How often it is looked whether the stage is being taken down, while nobody connects.
TICK_S = 0.2


def ensure_stageable(scenario: Scenario) -> None:
    """Raises UsageProblem for a scenario that only the lab's own clients can take part in."""
    if scenario.kernel is not None:
        raise UsageProblem(
            f"{scenario.name} sets up the kernel in a network of its own, which no client outside can reach.",
            f"Look at it with `econnlab run {scenario.name}`, or take another scenario.",
        )
    if scenario.server is None:
        raise UsageProblem(
            f"{scenario.name} is about the server at {scenario.url}; here the lab's own server is asked.",
            "Leave url out of the scenario.",
        )


class Stage:
    """A context manager: inside it clients may come to ``url``, after it nothing of it lives.

    ``start`` starts each Python process (see lab/warm.py for a quick way). A restart that the scenario
    plans counts from the first connection to the server: a client of anybody's takes its time to start.

    Raises UsageProblem for a scenario with kernel settings or without the lab's server, EnvironmentProblem
    where something cannot be started, ProcessDied where it ended before it listened.
    """

    def __init__(self, scenario: Scenario, *, start: Starter = start_python) -> None:
        ensure_stageable(scenario)
        self.scenario = scenario
        self._topology = Topology(scenario, self._on_failure, start=start)
        self._lock = threading.Lock()
        self._events: list[ConnectionEvent] = []
        self._failure: EconnlabError | None = None
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        #: Where clients go: the link's address where there is one, or the proxy's, else the server's.
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        """The file with the certificate authority that clients are to trust; None without TLS."""
        return None if self._topology.trusted is None else Path(self._topology.trusted)

    def events(self) -> list[ConnectionEvent]:
        """Everything in the ledgers up to this moment, each in its own order; after the end, all of it.

        Raises ProcessDied where the server or the link has ended and the scenario did not ask for it.
        """
        if not self._over.is_set():
            if self._failure is not None:
                raise self._failure
            self._topology.sync()
        self._collect()
        with self._lock:
            return list(self._events)

    @property
    def ledger(self) -> ServerLedger:
        """What the server has done for each request, up to the moment of each question."""
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
        """Let the time to the restart begin with the first connection."""
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

"""One run of a scenario, from the first process started to the last one ended."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from econnlab.client.session import open_session
from econnlab.discovery import parts
from econnlab.errors import EconnlabError, UsageProblem
from econnlab.lab.client_peer import KINDS, PeerClients, PeerSession
from econnlab.lab.counters import changes, read_counters
from econnlab.lab.dispatcher import Dispatcher, Runner
from econnlab.lab.facts import gather_facts
from econnlab.lab.limits import descriptors_needed, ensure_descriptors
from econnlab.lab.programs import Programs, session_of
from econnlab.lab.schedule import spread_starts
from econnlab.lab.topology import Topology
from econnlab.record.attempts import Request
from econnlab.record.from_ledgers import Heard, hear
from econnlab.record.run import Facts, Run
from econnlab.scenario.client import PROGRAM, ClientSpec
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Scenario
from econnlab.system.clock import now
from econnlab.system.sockets import address

#: From the schedule's beginning to the first send, so that the first threads are ready.
LEAD_S = 0.02


class Lab:
    """A context manager: inside it the server, the link and the clients live.

    ``requests`` adds requests to ``run`` as they end; ``sync`` and the end add the ledgers. ``capture`` is a
    file's descriptor for the packets of the run as pcapng, complete after the end.
    """

    def __init__(
        self, scenario: Scenario, *, own_namespace: bool = False, capture: int | None = None
    ) -> None:
        if scenario.kernel is not None and not own_namespace:
            raise UsageProblem(
                "Kernel settings need a network namespace for the run, which only a worker can enter.",
                "Run the scenario with `econnlab run`.",
            )
        _ensure_freezable(scenario.client)
        self.scenario = scenario
        self._own_namespace = own_namespace
        self._topology = Topology(scenario, self._on_failure, capture)
        self._dispatcher: Dispatcher | PeerClients | Programs | None = None
        self._failure: EconnlabError | None = None
        self._interrupted = False

    # -- beginning and end ------------------------------------------------------------------------

    def __enter__(self) -> Lab:
        ensure_descriptors(descriptors_needed(self.scenario))
        try:
            self._topology.start()
            if self._topology.trusted is not None:  # clients read that file when they are made
                self._topology.wait_until_listening()
            if self.scenario.client.kind == PROGRAM:
                self._topology.wait_until_listening()
                self._dispatcher = self._programs()
            elif self.scenario.client.kind in parts(KINDS):
                self._dispatcher = Dispatcher(self._runners())
                self._topology.wait_until_listening()
            else:
                self._topology.wait_until_listening()
                self._dispatcher = self._peer_clients()
                self._dispatcher.wait_until_ready()
            begin = now() + LEAD_S
            self.run = Run(self.scenario, self._facts(begin))
            self._counters = read_counters()
            self._topology.begin()
            self._dispatcher.start(begin)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run.counters = changes(self._counters, read_counters())
        self._stop()
        self._take_events()
        if self.scenario.client.kind == PROGRAM:
            self.run.interrupted = self._interrupted
        else:
            self.run.interrupted = len(self.run.requests) < self.scenario.plan.total_requests

    def _stop(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.stop()
        self._topology.stop()

    def _facts(self, begin: float) -> Facts:
        server = self._topology.server_peer
        peers = {} if server is None else {"server": server.version}
        if isinstance(self._dispatcher, PeerClients):
            peers["client"] = self._dispatcher.version
        ledger = None if server is None else server.ledger
        return gather_facts(begin, own_namespace=self._own_namespace, peers=peers, server_ledger=ledger)

    def _schedule(self) -> list[tuple[int, float]]:
        """The row and the start in seconds of each session."""
        plan = self.scenario.plan
        # Interleaved, so that a session's number does not depend on its row.
        rows = [row for _ in range(plan.sessions) for row in range(len(plan.intervals_ms))]
        round_trip = self.scenario.link.round_trip_ms / 1000
        periods = [seconds(plan.intervals_ms[row]) + round_trip for row in rows]
        if plan.together:
            wave, gap_s = plan.wave or len(rows), seconds(plan.wave_gap_ms)
            starts = [index // wave * gap_s for index in range(len(rows))]
        else:
            starts = spread_starts(periods, plan.requests, self.scenario.seed)
        return list(zip(rows, starts, strict=True))

    def _sessions(self) -> list[PeerSession]:
        plan = self.scenario.plan
        return [
            PeerSession(number, row, float(plan.intervals_ms[row]), plan.requests, start)
            for number, (row, start) in enumerate(self._schedule(), 1)
        ]

    def _peer_clients(self) -> PeerClients:
        topology = self._topology
        url = f"http://{address(topology.dial)}/" if topology.trusted is None else topology.url
        return PeerClients(self.scenario.client, url, self._sessions(), topology.trusted)

    def _programs(self) -> Programs:
        sessions = self._sessions()
        rows = {session.session: session.row for session in sessions}
        url = f"http://{address(self._topology.dial)}/"

        def heard() -> Heard:
            self._topology.sync()
            found = hear(self._topology.take_events(), session_of, rows.__getitem__)
            self.run.events.extend(found.events)
            return found

        return Programs(self.scenario.client.program, url, sessions, heard)

    def _runners(self) -> list[Runner]:
        plan, client, topology = self.scenario.plan, self.scenario.client, self._topology
        runners = []
        for number, (row, start) in enumerate(self._schedule(), 1):
            session = open_session(
                topology.url,
                client,
                topology.dial,
                row=row,
                number=number,
                trusted=topology.trusted,
                seed=self.scenario.seed,
            )
            runners.append(Runner(session, seconds(plan.intervals_ms[row]), plan.requests, start))
        return runners

    @property
    def unnamed(self) -> int:
        """Attempts of the user's own program whose session the ledgers cannot tell."""
        return self._dispatcher.unnamed if isinstance(self._dispatcher, Programs) else 0

    # -- while it runs ----------------------------------------------------------------------------

    def requests(self, tick_s: float | None = None) -> Iterator[Request | None]:
        """Every request as it ends, and None after each ``tick_s`` seconds in which none did.

        Ends early if interrupted. Raises ProcessDied or LabFault if the server or the link ends by itself.
        """
        assert self._dispatcher is not None
        finished = self._dispatcher.finished
        while not self._interrupted and self._failure is None:
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
        if self._failure is not None:
            raise self._failure

    def interrupt(self) -> None:
        """End the run early. A signal handler may call this."""
        self._interrupted = True
        self._wake()

    def sync(self) -> None:
        """Add all events up to now to the run."""
        self._topology.sync()
        self._take_events()

    def _take_events(self) -> None:
        self.run.events.extend(self._topology.take_events())
        if isinstance(self._dispatcher, PeerClients):
            self.run.events.extend(self._dispatcher.take_events())

    def _on_failure(self, error: EconnlabError) -> None:
        self._failure = error
        self._wake()

    def _wake(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.finished.put(None)


def _ensure_freezable(client: ClientSpec) -> None:
    if client.frozen_ms and (client.kind == PROGRAM or client.kind in parts(KINDS)):
        raise UsageProblem(
            f"client.frozen: {client.kind} has no single process of its own that the lab could stop.",
            'Name a client peer, as kind = "node" (`econnlab peers`); `econnlab check --scenario frozen` '
            "stops a command of yours.",
        )

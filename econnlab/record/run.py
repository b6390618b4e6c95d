"""A run: its scenario and facts, and all that happened in it."""

from dataclasses import dataclass, field
from enum import StrEnum

from econnlab.record.attempts import Request
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.model import Scenario

FORMAT = 1


class Ledger(StrEnum):
    """What the server of a run says of itself."""

    CONNECTIONS = "connections"  # each connection's start, timeout and end, and each request
    REQUESTS = "requests"  # the requests that its application carried out
    NOTHING = "nothing"


@dataclass(frozen=True)
class Facts:
    """Where and when a run took place."""

    #: Local wall-clock time with offset, ISO 8601; for people only.
    started: str
    #: The monotonic time from which the schedule counts.
    began: float
    #: ``Linux 6.18.44``
    kernel: str
    processors: int
    versions: dict[str, str]
    #: The run had its own network namespace, so the kernel counted only its connections.
    own_namespace: bool = False
    #: Wall-clock time at monotonic time 0, in seconds since the epoch; None in older records.
    epoch: float | None = None
    #: What a real server says of itself; None for the lab server, which says everything.
    server_ledger: Ledger | None = None

    @property
    def system(self) -> str:
        """``Linux`` or ``Darwin``."""
        return self.kernel.partition(" ")[0]


@dataclass
class Run:
    """The record of one execution of ``scenario``; it grows while it runs."""

    scenario: Scenario
    facts: Facts
    requests: list[Request] = field(default_factory=list)
    events: list[ConnectionEvent] = field(default_factory=list)
    #: What the kernel counted during the run, by name; counters that did not change are left out.
    counters: dict[str, int] = field(default_factory=dict)
    #: It ended before its plan did.
    interrupted: bool = False

    @property
    def has_server_ledger(self) -> bool:
        """The server told what happened to each of its connections."""
        return self.scenario.server is not None and self.facts.server_ledger in (None, Ledger.CONNECTIONS)

    @property
    def counts_processed(self) -> bool:
        """The server told which requests it carried out."""
        return self.has_server_ledger or self.facts.server_ledger is Ledger.REQUESTS

    @property
    def has_link_ledger(self) -> bool:
        """A link, or a wire, stood between."""
        return self.scenario.relayed or self.scenario.wired

"""What one run came to, counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from econnlab.attribution.statistics import quantile, wilson
from econnlab.attribution.summary import Summary
from econnlab.record.attempts import Outcome, Request
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.server import Ending, Stage

#: At these stages the server has carried the request out; see econnlab.scenario.server.
_CARRIED_OUT = frozenset({Stage.PROCESSED, Stage.HALF_HEAD, Stage.HALF_BODY})


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    requests: int
    failures: int
    #: Failures in which the client read an answer with an error status.
    answered: int
    #: Requests carried out never, once, more than once; None if the server's ledger is not known.
    lost: int | None
    once: int | None
    more: int | None
    #: How often the server repeated work that it had done before.
    extra: int | None
    attempts: int
    #: Connections that carried at least a byte of a request.
    connections: int
    #: Requests that reached the server, pings and repetitions included.
    served: int | None
    #: From the due time to the end of the requests that succeeded, in ms; None if none did.
    median_ms: float | None
    p99_ms: float | None
    #: Planned faults that happened and that do not depend on the reuse of a connection: the process was
    #: killed, or the request had been carried out.
    struck: int = 0
    #: False: the run was interrupted. Its first requests, on new connections, are not like its last.
    whole: bool = True

    @property
    def unanswered(self) -> int:
        """Failures in which the client met the end of its connection and read no error."""
        return self.failures - self.answered

    @property
    def rate(self) -> float:
        """The share of requests that failed."""
        return self.failures / self.requests if self.requests else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the rate."""
        return wilson(self.failures, self.requests)


def figures_of(summary: Summary) -> Figures:
    """Count ``summary``."""
    run, done = summary.run, summary.processed
    waits = sorted(_waited_ms(request) for request in run.requests if request.ok)
    # An attempt that sent nothing was refused, or got no connection.
    used = {try_.connection for request in run.requests for try_ in request.attempts if try_.sent is not None}
    carried_out = [(times, count) for row in summary.rows for times, count in row.carried_out.items()]
    return Figures(
        requests=sum(row.requests for row in summary.rows),
        failures=sum(row.failure for row in summary.rows),
        answered=sum(row.outcomes[Outcome.HTTP_ERROR] for row in summary.rows),
        lost=None if done is None else done.lost,
        once=None if done is None else done.once,
        more=None if done is None else done.more,
        extra=None if done is None else sum((times - 1) * count for times, count in carried_out if times > 1),
        attempts=sum(row.attempts for row in summary.rows),
        connections=len(used - {None}),
        served=None if done is None else sum(event.kind == Kind.REQUEST for event in run.events),
        median_ms=quantile(waits, 0.5) if waits else None,
        p99_ms=quantile(waits, 0.99) if waits else None,
        struck=sum(_independent_of_reuse(run.events)),
        whole=not run.interrupted,
    )


def _independent_of_reuse(events: Sequence[ConnectionEvent]) -> Iterator[bool]:
    """For each planned fault, except those that met a ping: whether it happens without any reuse."""
    last: dict[int | None, str | None] = {}
    for event in events:
        if event.kind == Kind.REQUEST:
            last[event.connection] = event.request_id
        elif event.kind == Kind.FAULT and last.get(event.connection, "") is not None:
            yield event.how == Ending.KILL or event.reason in _CARRIED_OUT


def _waited_ms(request: Request) -> float:
    first = request.attempts[0]
    began = first.began if first.planned is None else first.planned
    return (request.last.ended - began) * 1000

"""A run in figures: a row per interval, the lateness of the sends, and what the reader should know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from econnlab.attribution.attribution import attribute
from econnlab.attribution.ending import ConnectionEnd, ending_of
from econnlab.attribution.evidence import Evidence
from econnlab.attribution.statistics import quantile, wilson
from econnlab.attribution.verdict import Verdict
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.run import Run


@dataclass(frozen=True)
class Failure:
    """A failed attempt and why."""

    attempt: Attempt
    verdict: Verdict
    #: How the connection died; None where nothing ended it, or nobody knows.
    ending: ConnectionEnd | None
    #: How often the server carried the request out; None where its ledger is not known.
    processed: int | None


@dataclass(frozen=True)
class Processed:
    """How often the server carried requests out: how many of them never, once, more than once."""

    lost: int
    once: int
    more: int


@dataclass
class Row:
    """The requests of one interval, or of one maxconn run."""

    index: int
    requests: int = 0
    success: int = 0
    attempts: int = 0
    #: Requests that succeeded after a failed attempt.
    rescued: int = 0
    #: Outcomes and causes of the failed requests, by their last attempt.
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    #: Requests by how often the server carried them out; empty where its ledger is not known.
    carried_out: Counter[int] = field(default_factory=Counter)

    @property
    def processed(self) -> Processed | None:
        """None where the server's ledger is not known, or nothing was asked."""
        return _processed(self.carried_out)

    @property
    def failure(self) -> int:
        """Requests that the caller did not get."""
        return self.requests - self.success

    @property
    def failure_rate(self) -> float:
        """The share of requests that failed, 0 where there were none."""
        return self.failure / self.requests if self.requests else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the failure rate."""
        return wilson(self.failure, self.requests)


@dataclass(frozen=True)
class Lateness:
    """From the due time to the first byte handed to the kernel, in ms."""

    sends: int
    median_ms: float
    p99_ms: float

    def rounded(self) -> Lateness:
        """To the microsecond: the clock says no more."""
        return Lateness(self.sends, round(self.median_ms, 3), round(self.p99_ms, 3))


@dataclass(frozen=True)
class Summary:
    """What every report is made from."""

    run: Run
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]

    @property
    def processed(self) -> Processed | None:
        """Of all rows together; None where the server's ledger is not known, or nothing was asked."""
        return _processed(sum((row.carried_out for row in self.rows), Counter()))

    @cached_property
    def lateness(self) -> Lateness | None:
        """None where nothing was sent on time or late."""
        late = sorted(
            attempt.lateness_s * 1000
            for request in self.run.requests
            for attempt in request.attempts
            if attempt.lateness_s is not None
        )
        return Lateness(len(late), quantile(late, 0.5), quantile(late, 0.99)) if late else None

    @cached_property
    def smallest_step_ms(self) -> float | None:
        """Between two neighbouring intervals; None where there is one interval."""
        intervals = sorted(self.run.scenario.plan.intervals_ms)
        return min((float(b - a) for a, b in pairwise(intervals)), default=None)

    @property
    def blurred(self) -> bool:
        """One send in a hundred was later than half a step: nearer to the next row than to its own."""
        step, lateness = self.smallest_step_ms, self.lateness
        return step is not None and lateness is not None and lateness.p99_ms > step / 2


def summarize(run: Run) -> Summary:
    """Count ``run`` and attribute each of its failed attempts."""
    evidence = Evidence(run)
    evidence.update()
    rows = tuple(Row(index) for index in range(len(run.scenario.plan.intervals_ms)))
    failures: list[Failure] = []
    for request in run.requests:
        explained = explain_request(evidence, request)
        failures.extend(explained)
        _count(rows[request.last.row], request, explained, evidence.processed(request))
    return Summary(run, rows, tuple(failures))


def explain_request(evidence: Evidence, request: Request) -> list[Failure]:
    """A Failure for each failed attempt of ``request``, in order."""
    processed = evidence.processed(request)
    failures = []
    for attempt in request.attempts:
        if attempt.outcome is not Outcome.OK:
            case = evidence.case(attempt)
            failures.append(Failure(attempt, attribute(case), ending_of(case), processed))
    return failures


def _processed(carried_out: Counter[int]) -> Processed | None:
    if not carried_out:
        return None
    lost, once = carried_out[0], carried_out[1]
    return Processed(lost, once, carried_out.total() - lost - once)


def _count(row: Row, request: Request, failures: list[Failure], processed: int | None) -> None:
    if processed is not None:
        row.carried_out[processed] += 1
    row.requests += 1
    row.attempts += len(request.attempts)
    if request.ok:
        row.success += 1
        row.rescued += request.rescued
    else:
        row.outcomes[request.last.outcome] += 1
        row.causes[failures[-1].verdict.cause] += 1

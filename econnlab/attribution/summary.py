"""A run in figures: a row per interval, its failures, and how late the sends were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from econnlab.attribution.explanations import Explanations, Failure
from econnlab.attribution.lateness import Late
from econnlab.attribution.statistics import quantile, wilson
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.run import Run


@dataclass(frozen=True)
class Processed:
    """How many requests the server never carried out, carried out once, and more than once."""

    lost: int
    once: int
    more: int


@dataclass
class Row:
    """The requests of one interval, or of one maxconn run."""

    index: int
    requests: int = 0
    #: Requests that are not among them, because the lab was late on the way of one of their attempts.
    lab_late: int = 0
    success: int = 0
    attempts: int = 0
    #: Requests that succeeded after a failed attempt.
    rescued: int = 0
    #: Outcomes and causes of the failed requests, by their last attempt.
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    #: Requests by how often the server carried them out; empty if its ledger is not known.
    carried_out: Counter[int] = field(default_factory=Counter)
    #: Requests of which that is not known, because the server's process was killed.
    untold: int = 0

    @property
    def processed(self) -> Processed | None:
        """None if the server's ledger is not known, or nothing was asked."""
        return _processed(self.carried_out)

    @property
    def failure(self) -> int:
        """Requests without a response for the caller."""
        return self.requests - self.success

    @property
    def failure_rate(self) -> float:
        """The share of requests that failed, 0 if there were none."""
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
        """To the microsecond, the precision of the clock."""
        return Lateness(self.sends, round(self.median_ms, 3), round(self.p99_ms, 3))


@dataclass(frozen=True)
class LateAttempt:
    """An attempt on whose way the lab was later than the bound."""

    attempt: Attempt
    late: Late
    #: Set if it failed as well.
    failure: Failure | None


@dataclass(frozen=True)
class Summary:
    """The input of every report."""

    run: Run
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    #: The attempts on whose way the lab was late, and how late; their requests are in no other figure.
    late: tuple[LateAttempt, ...] = ()

    @property
    def processed(self) -> Processed | None:
        """Of all rows together; None if the server's ledger is not known, or nothing was asked."""
        return _processed(sum((row.carried_out for row in self.rows), Counter()))

    @cached_property
    def lateness(self) -> Lateness | None:
        """None if nothing was planned."""
        late = sorted(
            attempt.lateness_s * 1000
            for request in self.run.requests
            for attempt in request.attempts
            if attempt.lateness_s is not None
        )
        return Lateness(len(late), quantile(late, 0.5), quantile(late, 0.99)) if late else None

    @cached_property
    def smallest_step_ms(self) -> float | None:
        """Between two neighbouring intervals; None if there is one interval."""
        intervals = sorted(self.run.scenario.plan.intervals_ms)
        return min((float(b - a) for a, b in pairwise(intervals)), default=None)

    @property
    def blurred(self) -> bool:
        """One send in a hundred was more than half a step late: closer to the next row than to its own."""
        step, lateness = self.smallest_step_ms, self.lateness
        return step is not None and lateness is not None and lateness.p99_ms > step / 2


def summarize(run: Run, explanations: Explanations | None = None) -> Summary:
    """Count ``run``, with why its attempts failed; ``explanations`` hold what was attributed while it ran."""
    why = explanations or Explanations(run)
    why.update()
    rows = tuple(Row(index) for index in range(len(run.scenario.plan.intervals_ms)))
    failures: list[Failure] = []
    lates: list[LateAttempt] = []
    for request in run.requests:
        late = list(_late(request, why))
        if late:
            lates += late
            rows[request.last.row].lab_late += 1
            continue
        explained = why.at_the_end(request)
        failures.extend(explained)
        _count(rows[request.last.row], request, explained, why.processed(request))
    return Summary(run, rows, tuple(failures), tuple(lates))


def _late(request: Request, why: Explanations) -> Iterator[LateAttempt]:
    lates = {attempt.number: late for attempt in request.attempts if (late := why.late(attempt)) is not None}
    failed = {each.attempt.number: each for each in why.at_the_end(request)} if lates else {}
    for attempt in request.attempts:
        if (late := lates.get(attempt.number)) is not None:
            yield LateAttempt(attempt, late, failed.get(attempt.number))


def _processed(carried_out: Counter[int]) -> Processed | None:
    if not carried_out:
        return None
    lost, once = carried_out[0], carried_out[1]
    return Processed(lost, once, carried_out.total() - lost - once)


def _count(row: Row, request: Request, failures: list[Failure], processed: int | None) -> None:
    if processed is not None:
        row.carried_out[processed] += 1
    else:
        row.untold += 1
    row.requests += 1
    row.attempts += len(request.attempts)
    if request.ok:
        row.success += 1
        row.rescued += request.rescued
    else:
        row.outcomes[request.last.outcome] += 1
        row.causes[failures[-1].verdict.cause] += 1

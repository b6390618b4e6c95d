"""The failed attempts of a run, each attributed once: when nothing still to come can change the verdict."""

from dataclasses import dataclass, replace

from econnlab.attribution.attribution import attribute
from econnlab.attribution.ending import ConnectionEnd, ending_of
from econnlab.attribution.evidence import Case, Evidence
from econnlab.attribution.lateness import LAB_LATE, ON_TIME, Late, Way, bound_s
from econnlab.attribution.order import ORDER
from econnlab.attribution.verdict import UNKNOWN, Certainty, Verdict
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.events import Kind
from econnlab.record.run import Run

#: In place of a verdict, while the run goes on.
UNDECIDED = Verdict(
    "undecided", Certainty.CERTAIN, "it depends on what is still to come; the table names the cause"
)


@dataclass(frozen=True)
class Failure:
    """A failed attempt and why."""

    attempt: Attempt
    verdict: Verdict
    #: How the connection died; None if nothing ended it, or nothing is known of it.
    ending: ConnectionEnd | None
    #: How often the server carried the request out; None if its ledger is not known.
    processed: int | None
    #: How late the lab was on its way.
    late: Late = ON_TIME


class Explanations:
    """Why attempts of ``run`` failed; it may be asked while the run goes on."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._evidence = Evidence(run)
        #: By request id, the number of the attempt beside it.
        self._decided: dict[tuple[str, int], Failure] = {}
        #: The attempt before, on the same connection; the last attempt of each; how many requests are in.
        self._before: dict[tuple[str, int], Attempt] = {}
        self._last: dict[int, Attempt] = {}
        self._linked = 0

    def update(self) -> None:
        """Take in the run's new events."""
        self._evidence.update()
        for request in self._run.requests[self._linked :]:
            for attempt in request.attempts:
                if attempt.connection is not None:
                    before = self._last.get(attempt.connection)
                    if before is not None:
                        self._before[attempt.request_id, attempt.number] = before
                    self._last[attempt.connection] = attempt
        self._linked = len(self._run.requests)

    def late(self, attempt: Attempt) -> Late | None:
        """How late the lab was on the way of ``attempt``; None if that is within the bound."""
        late = self._lateness(attempt)
        return late if late.total_s > bound_s(self._run.scenario, attempt.row) else None

    def _lateness(self, attempt: Attempt) -> Late:
        scenario = self._run.scenario
        before = self._before.get((attempt.request_id, attempt.number))
        link, server = self._evidence.ledgers(attempt)
        if scenario.proxy is not None:  # the ledgers know the proxy's connections, not the client's
            link = server = None
        peer = "client" in self._run.facts.versions
        return Way(
            scenario, attempt, before, link, server, self._evidence.busy, self._evidence.frozen, peer
        ).late()

    def processed(self, request: Request) -> int | None:
        """How many times the server carried ``request`` out; None without its ledger."""
        return self._evidence.processed(request)

    def so_far(self, request: Request) -> list[Failure]:
        """A Failure for each failed attempt of ``request``, with UNDECIDED if its cause may still change."""
        return self._failures(request, final=False)

    def at_the_end(self, request: Request) -> list[Failure]:
        """A Failure for each failed attempt of ``request``, once the run is over."""
        return self._failures(request, final=True)

    def _failures(self, request: Request, *, final: bool) -> list[Failure]:
        processed = self.processed(request)
        failed = [attempt for attempt in request.attempts if attempt.outcome is not Outcome.OK]
        return [replace(self._failure(attempt, final=final), processed=processed) for attempt in failed]

    def _failure(self, attempt: Attempt, *, final: bool) -> Failure:
        key = (attempt.request_id, attempt.number)
        known = self._decided.get(key)
        if known is not None:
            return known
        case = self._evidence.case(attempt)
        late = self._lateness(attempt)
        verdict = attribute(case)
        if late.total_s > bound_s(self._run.scenario, attempt.row):
            verdict = late.verdict
        failure = Failure(attempt, verdict, ending_of(case), None, late)
        if not final and not self._stands(case, failure.verdict.cause):
            return replace(failure, verdict=UNDECIDED)
        if final or case.link is None or case.arrival is not None:
            self._decided[key] = failure
        return failure  # while the request is still on the link, its evidence grows, but not its cause

    def _stands(self, case: Case, cause: str) -> bool:
        """Nothing that is still to come can make another cause come before ``cause``."""
        if cause == UNKNOWN:
            return False
        if cause == LAB_LATE:
            return True
        later = self._may_come(case)
        return later is None or ORDER.index(cause) <= ORDER.index(later)

    def _may_come(self, case: Case) -> str | None:
        """The cause that a new connection may turn out to have, by what is known at the end only."""
        if case.attempt.reused:
            return None
        if case.server is None:  # others that are answered now stood open then
            return "over_capacity" if self._run.scenario.plan.total_sessions > 1 else None
        accepted = case.server.first(Kind.ACCEPTED) is not None
        return None if accepted else "backlog_overflow"  # the kernel's counters are read at the end

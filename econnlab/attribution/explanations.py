"""The failed attempts of a run, each attributed once: when nothing still to come can change the verdict."""

from dataclasses import dataclass, replace

from econnlab.attribution.attribution import attribute
from econnlab.attribution.ending import ConnectionEnd, ending_of
from econnlab.attribution.evidence import Case, Evidence
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


class Explanations:
    """Why attempts of ``run`` failed; it may be asked while the run goes on."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._evidence = Evidence(run)
        #: By request id, the number of the attempt beside it.
        self._decided: dict[tuple[str, int], Failure] = {}

    def update(self) -> None:
        """Take in the run's new events."""
        self._evidence.update()

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
        failure = Failure(attempt, attribute(case), ending_of(case), None)
        if not final and not self._stands(case, failure.verdict.cause):
            return replace(failure, verdict=UNDECIDED)
        if final or case.link is None or case.arrival is not None:
            self._decided[key] = failure
        return failure  # while the request is still on the link, its evidence grows, but not its cause

    def _stands(self, case: Case, cause: str) -> bool:
        """Nothing that is still to come can make another cause come before ``cause``."""
        if cause == UNKNOWN:
            return False
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

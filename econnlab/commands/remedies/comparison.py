"""All remedies of one scenario beside each other, the best safe one first."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.attribution.statistics import wilson
from econnlab.commands.remedies.figures import Figures
from econnlab.commands.remedies.judging import Remedy, Result
from econnlab.record.run import Run

#: More than so many times the requests is not worth advising.
MOST_TIMES = 50


@dataclass(frozen=True)
class Unable:
    """A remedy that could not be tried, and why."""

    remedy: Remedy
    reason: str


@dataclass(frozen=True)
class Comparison:
    """All remedies of one scenario, in the order of ``ranked``."""

    run: Run
    baseline: Result
    results: tuple[Result, ...]
    unable: tuple[Unable, ...] = ()
    #: Remedies that change nothing in this scenario.
    inapplicable: tuple[str, ...] = ()

    @property
    def best(self) -> Result | None:
        """The remedy to recommend; None if no safe one helps."""
        return next((result for result in self.results if result.recommended), None)

    @property
    def hopeful(self) -> tuple[Result, ...]:
        """Safe remedies that more requests might show to help."""
        return tuple(result for result in self.results if result.hopeful and not result.unsafe)

    @property
    def times_more(self) -> int | None:
        """With so many times the requests the first hopeful one would help, if the rates stay; None: too
        many.
        """
        if not self.hopeful:
            return None
        now, before = self.hopeful[0].figures, self.baseline.figures
        return next((times for times in range(2, MOST_TIMES + 1) if _parts(now, before, times)), None)


def _parts(now: Figures, before: Figures, times: int) -> bool:
    """With ``times`` the requests at these rates, the intervals of all or of unanswered failures part."""
    return any(
        wilson(times * few, times * now.requests)[1] < wilson(times * many, times * before.requests)[0]
        for few, many in ((now.failures, before.failures), (now.unanswered, before.unanswered))
    )


def ranked(results: list[Result]) -> tuple[Result, ...]:
    """The best safe one first: fewer failures, then fewer repetitions, then lower cost."""
    return tuple(sorted(results, key=_rank))


def _rank(result: Result) -> tuple[object, ...]:
    figures, added = result.figures, result.added_median_ms
    return (
        result.unsafe,
        0 if result.recommended else 1 if result.hopeful else 2,
        figures.rate,  # not the count: an interrupted run has fewer requests
        figures.more or 0,
        0 if added is None else max(0, round(added / 10)),  # smaller differences are the machine's noise
        figures.attempts,
        figures.connections,
        figures.served or 0,
        result.remedy.name,
    )

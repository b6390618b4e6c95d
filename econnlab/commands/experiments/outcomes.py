"""How the scenarios of a batch came out. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from econnlab.attribution.expectations import broken
from econnlab.attribution.punctuality import HELD_UP_MS, worst_lateness_ms
from econnlab.attribution.summary import Summary
from econnlab.errors import EconnlabError
from econnlab.scenario.model import Scenario


class Status(StrEnum):
    """What became of a scenario."""

    HOLDS = "holds"  # every expectation holds
    RAN = "ran"  # it expects nothing
    BROKEN = "broken"  # an expectation does not hold
    STOPPED = "stopped"  # interrupted before its end
    UNABLE = "unable"  # it could not run here


@dataclass(frozen=True)
class ScenarioResult:
    """A scenario that ended."""

    scenario: Scenario
    #: None if it never began.
    summary: Summary | None
    error: EconnlabError | None
    took_s: float

    @cached_property
    def missed(self) -> tuple[str, ...]:
        """The expectations that do not hold."""
        expect = self.scenario.expect
        if self.summary is None or expect is None or self.summary.run.interrupted:
            return ()
        return tuple(broken(self.summary, expect))

    @property
    def status(self) -> Status:
        """What became of it."""
        if self.error is not None or self.summary is None:
            return Status.UNABLE
        if self.summary.run.interrupted:
            return Status.STOPPED
        if self.missed:
            return Status.BROKEN
        return Status.RAN if self.scenario.expect is None else Status.HOLDS

    @property
    def why(self) -> str:
        """What kept it from running, or ended it."""
        return "" if self.error is None else self.error.in_one_line

    @property
    def held_up(self) -> str:
        """A sentence if the lab itself was so late that it may have broken the expectations."""
        late_ms = 0.0 if self.summary is None else worst_lateness_ms(self.summary.run)
        if self.status is not Status.BROKEN or late_ms < HELD_UP_MS:
            return ""
        return f"the lab itself was up to {late_ms:.0f} ms late: run it again with less load on the machine"

    @property
    def figures(self) -> str:
        """``17 ok, 3 failed: reset 3; crash 3``; empty if it never began."""
        if self.summary is None:
            return ""
        success = sum(row.success for row in self.summary.rows)
        failure = sum(row.failure for row in self.summary.rows)
        said = f"{success} ok, {failure} failed"
        if self.summary.failures:
            outcomes = Counter(each.attempt.outcome.value for each in self.summary.failures)
            causes = Counter(each.verdict.cause for each in self.summary.failures)
            said += f": {_counts(outcomes)}; {_counts(causes)}"
        done = self.summary.processed
        if done is None:
            return said
        return f"{said}; carried out 0x {done.lost}, 1x {done.once}, 2x+ {done.more}"


@dataclass(frozen=True)
class Batch:
    """Several scenarios, in the order in which they ended."""

    results: tuple[ScenarioResult, ...]
    #: How many were to run.
    asked: int
    interrupted: bool

    def count(self, *statuses: Status) -> int:
        """How many have one of ``statuses``."""
        return sum(each.status in statuses for each in self.results)

    @property
    def conclusion(self) -> str:
        """One sentence."""
        parts = [f"{self.count(Status.HOLDS, Status.RAN)} of {self.asked} as expected"]
        for number, words in (
            (self.count(Status.BROKEN), "not"),
            (self.count(Status.UNABLE), "could not run here"),
            (self.asked - len(self.results), "not begun"),
        ):
            if number:
                parts.append(f"{number} {words}")
        return ", ".join(parts)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())

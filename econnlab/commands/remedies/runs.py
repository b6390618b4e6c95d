"""The runs of a comparison: one without a remedy and one with each, side by side in workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from econnlab.attribution.summary import summarize
from econnlab.cli.header import estimate_s
from econnlab.cli.progress import TICK_S
from econnlab.commands.remedies.catalogue import RETRY, untried, with_its_danger, with_remedy
from econnlab.commands.remedies.comparison import Comparison, Unable, ranked
from econnlab.commands.remedies.figures import Figures, figures_of
from econnlab.commands.remedies.judging import Remedy, judge, without_remedy
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.checks import check
from econnlab.lab.workers import Done, Workers
from econnlab.record.run import Run
from econnlab.scenario.model import Scenario

NOTHING = "none"
MOST_JOBS = 4
#: Requests a second, over all simultaneous runs, that two cores send punctually.
KEEPS_TIME = 240


class ComparedRuns:
    """The runs of ``base`` without a remedy and with each of ``chosen``, at most ``jobs`` at a time."""

    def __init__(self, base: Scenario, chosen: Mapping[str, Remedy], jobs: int | None) -> None:
        self._base = base
        self._known: dict[str, Remedy] = {}
        self._unable: list[Unable] = []
        self._inapplicable: list[str] = []
        #: The scenarios by the remedy's name; a worker knows a scenario by the scenario's name.
        self._scenarios = {NOTHING: replace(base, name=f"{base.name}+{NOTHING}")}
        for name, remedy in chosen.items():
            self._plan(name, remedy)
        self._remedy_of = {each.name: name for name, each in self._scenarios.items()}
        self._run_without: Run | None = None
        self._figures: dict[str, Figures] = {}
        self.jobs = min(jobs or jobs_for(base), len(self._scenarios))

    def _plan(self, name: str, remedy: Remedy) -> None:
        if reason := untried(self._base, name):
            self._unable.append(Unable(remedy, reason))
            return
        try:
            remedied = with_remedy(self._base, name)
            if remedied is None:
                self._inapplicable.append(name)
                return
            check(remedied)  # a real server or client does not have every setting
            self._known[name] = with_its_danger(remedy)
        except (EnvironmentProblem, UsageProblem) as problem:
            self._unable.append(Unable(remedy, problem.in_one_line))
            return
        self._scenarios[name] = replace(remedied, name=f"{remedied.name}+{name}")

    @property
    def planned_requests(self) -> int:
        """The requests of all runs."""
        return sum(each.plan.total_requests for each in self._scenarios.values())

    @property
    def about_s(self) -> float:
        """How long all runs take, without the pauses between retries."""
        return -(-len(self._scenarios) // self.jobs) * (estimate_s(self._base) + 1)

    @property
    def estimate(self) -> str:
        """``12 runs, 4 at a time; about 20 s``."""
        # How long a policy waits between its tries depends on what fails.
        more = " and what retries wait" if any(name.startswith(RETRY) for name in self._scenarios) else ""
        return f"{len(self._scenarios)} runs, {self.jobs} at a time; about {self.about_s:.0f} s{more}"

    def workers(self) -> Workers:
        """Workers for all runs, not started."""
        return Workers(list(self._scenarios.values()), self.jobs)

    def results(self, workers: Workers) -> Iterator[tuple[str, Run] | None]:
        """Each run as it ends, with its remedy's name; None at least every TICK_S seconds."""
        for done in workers.results(TICK_S):
            yield None if done is None else self._taken(done)

    def _taken(self, done: Done) -> tuple[str, Run] | None:
        name, run = self._remedy_of[done.scenario.name], done.run
        if done.error is not None:
            if name == NOTHING:
                raise done.error
            self._unable.append(Unable(self._known[name], done.error.in_one_line))
        if done.error is not None or run is None or not run.requests:
            return None
        self._figures[name] = figures_of(summarize(run))
        if name == NOTHING:
            self._run_without = replace(run, scenario=self._base)
        return name, run

    def comparison(self, *, interrupted: bool) -> Comparison | None:
        """All that has ended; None if the run without a remedy has not."""
        run = self._run_without
        if run is None:
            return None
        figures = dict(self._figures)
        baseline = figures.pop(NOTHING)
        method = self._base.client.method
        results = [judge(self._known[name], each, baseline, method) for name, each in figures.items()]
        return Comparison(
            replace(run, interrupted=run.interrupted or interrupted),
            without_remedy(baseline),
            ranked(results),
            tuple(self._unable),
            tuple(self._inapplicable),
        )


def jobs_for(scenario: Scenario) -> int:
    """How many runs of ``scenario`` can be punctual at a time."""
    spread_s = max(estimate_s(scenario), 0.2)
    return max(1, min(MOST_JOBS, int(KEEPS_TIME * spread_s / scenario.plan.total_requests)))

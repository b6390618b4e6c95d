"""``remedies``: a scenario run once per remedy, side by side, and compared."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.text import Text

from econnlab.advice.snippet import page_of, remedies_with_snippets
from econnlab.attribution.summary import summarize
from econnlab.cli.console import console, say
from econnlab.cli.files import cannot_write
from econnlab.cli.header import estimate_s, header
from econnlab.cli.interrupts import interrupts
from econnlab.cli.options import changed
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.client.retrying import repeats_unsafe
from econnlab.commands.remedies import adjust
from econnlab.commands.remedies.comparison import Comparison, Unable, ranked
from econnlab.commands.remedies.figures import Figures, figures_of
from econnlab.commands.remedies.judging import Remedy, judge, without_remedy
from econnlab.commands.remedies.pasting import lines_to_paste
from econnlab.commands.remedies.report import page
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem, ExitCode, UsageProblem, did_you_mean
from econnlab.lab.checks import read_scenario
from econnlab.lab.workers import Done, Workers
from econnlab.record.run import Run
from econnlab.scenario.client import NO_RETRY
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.model import Scenario

REMEDIES = "econnlab.commands.remedies.each"
POLICIES = "econnlab.client.policies"
RETRY = "retry-"
NOTHING = "none"
DEFAULT_SCENARIO = "keepalive-race"
MOST_JOBS = 4
#: Requests a second, of all that runs at a time, that two cores send without being late.
KEEPS_TIME = 240


@dataclass(frozen=True)
class RemediesOptions:
    """What ``remedies`` was asked for. None keeps the scenario's value."""

    scenario: str | None
    remedies: tuple[str, ...]
    #: Only list them.
    listed: bool
    #: Only print the lines to paste for this one, for the client or server ``stack`` alone.
    show: str | None
    stack: str | None
    method: str | None
    intervals_ms: tuple[Decimal, ...] | None
    keepalive_timeout_ms: Decimal | None
    link: LinkSpec | None
    sessions: int | None
    requests: int | None
    seed: int | None
    jobs: int | None
    #: For a record of each run.
    folder: str | None
    files: Files


def run_remedies(options: RemediesOptions) -> int:
    """List, show or compare. Returns the exit code."""
    if options.show is None and options.stack is None:
        return list_remedies() if options.listed else compare(options)
    if options.listed:
        raise UsageProblem(
            "--list names every remedy, and --show prints the lines of one.", "Give one of them."
        )
    return show_snippets(options.show, options.stack)


def catalogue() -> dict[str, Remedy]:
    """Every remedy by its name: those of scenarios, and a retry policy each."""
    found = {name: Remedy(name, part.HELP, part.PRICE) for name, part in parts(REMEDIES).items()}
    for name, policy in parts(POLICIES).items():
        if name != NO_RETRY:
            price = f"{_up_to(policy.RETRIES)} per failure; more load when a server is down"
            if not policy.RETRIES:
                price = "none, for it never tries again"
            found[RETRY + name] = Remedy(RETRY + name, policy.HELP, price)
    return found


def _up_to(retries: int) -> str:
    return "a further attempt" if retries == 1 else f"up to {retries} further attempts"


def _with_its_danger(remedy: Remedy) -> Remedy:
    """Ask a retry policy's rule. Raises EnvironmentProblem where that is a library's, and not installed."""
    policy = parts(POLICIES).get(remedy.name.removeprefix(RETRY))
    return remedy if policy is None else replace(remedy, repeats=repeats_unsafe(policy))


def with_remedy(scenario: Scenario, name: str) -> Scenario | None:
    """``scenario`` with the remedy ``name`` in it; None where it changes nothing there."""
    if name.startswith(RETRY):
        return adjust.client(scenario, retry=name.removeprefix(RETRY))
    remedied: Scenario | None = parts(REMEDIES)[name].apply(scenario)
    return remedied


def _untried(scenario: Scenario, name: str) -> str | None:
    """Why the lab can't show there what the remedy ``name`` does; None where it can."""
    why = getattr(parts(REMEDIES).get(name), "untried", None)
    reason: str | None = None if why is None else why(scenario)
    return reason


def list_remedies() -> int:
    """Print a line per remedy."""
    width = max(map(len, catalogue()))
    return _print(Text("\n").join(_entry(remedy, width) for remedy in catalogue().values()))


def _entry(remedy: Remedy, width: int) -> Text:
    return Text.assemble((f"{remedy.name:<{width}}", "bold"), f"  {remedy.help}")


def show_snippets(name: str | None, stack: str | None) -> int:
    """Print what to paste for the remedy ``name``. Raises UsageProblem where there is none."""
    if name is None:
        raise UsageProblem("--for says which of a remedy's lines to print.", "Say --show NAME as well.")
    family = "retry" if name.startswith(RETRY) and name in catalogue() else name
    if family not in remedies_with_snippets():
        raise _unknown("lines to paste for", name, remedies_with_snippets())
    return _print(lines_to_paste(page_of(family), stack))


def _print(text: Any) -> int:
    console().print(text, soft_wrap=True)
    return ExitCode.OK


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageProblem:
    return UsageProblem(f"There are no {what} {name!r}.", did_you_mean(name, known))


def compare(options: RemediesOptions) -> int:
    """Run and report. Returns the exit code."""
    known = catalogue()
    for name in options.remedies:
        if name not in known:
            raise _unknown("remedies called", name, known)
    base = baseline_of(options)
    chosen = {name: known[name] for name in options.remedies or known}
    records = _Records(options.folder)
    with Outputs(options.files, reads=[options.scenario]) as outputs:
        return _Comparing(base, chosen, outputs, records, options.jobs).run()


def baseline_of(options: RemediesOptions) -> Scenario:
    """The scenario that is asked for, without retries of its own."""
    scenario = read_scenario(options.scenario or DEFAULT_SCENARIO)
    server = scenario.server
    if options.keepalive_timeout_ms is not None and server is None:
        raise UsageProblem(
            "--keepalive-timeout is about the lab server; this scenario asks a server of yours.",
            "Leave it out.",
        )
    asked = vars(options)
    return changed(
        replace(scenario, expect=None),
        asked,
        server=None if server is None else changed(server, asked),
        client=changed(replace(scenario.client, retry=None, retries=0), asked),
        plan=changed(scenario.plan, asked),
    )


def jobs_for(scenario: Scenario) -> int:
    """How many runs of ``scenario`` at a time can be on time."""
    spread_s = max(estimate_s(scenario), 0.2)
    return max(1, min(MOST_JOBS, int(KEEPS_TIME * spread_s / scenario.plan.total_requests)))


class _Records:
    """A folder with a record per run, or nothing where ``where`` is None. Raises EnvironmentProblem."""

    def __init__(self, where: str | None) -> None:
        self._folder = None if where is None else Path(where)
        if self._folder is None or where is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(where, error) from error
        if not os.access(self._folder, os.W_OK):
            raise cannot_write(where, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))

    def write(self, name: str, run: Run) -> None:
        """The whole of ``run``."""
        if self._folder is not None:
            with Recorder(str(self._folder / f"{name}.jsonl")) as recorder:
                recorder.whole(run)


class _Comparing:
    def __init__(
        self,
        base: Scenario,
        chosen: Mapping[str, Remedy],
        outputs: Outputs,
        records: _Records,
        jobs: int | None,
    ) -> None:
        self._base = base
        self._records = records
        self._outputs = outputs
        self._jobs = jobs or jobs_for(base)
        self._screen = outputs.screen
        self._known: dict[str, Remedy] = {}
        self._unable: list[Unable] = []
        self._inapplicable: list[str] = []
        #: By the remedy's name; workers tell scenarios apart by theirs.
        self._named = {NOTHING: replace(base, name=f"{base.name}+{NOTHING}")}
        for name, remedy in chosen.items():
            self._plan(name, remedy)
        self._by_scenario = {each.name: name for name, each in self._named.items()}
        self._run_without: Run | None = None
        self._figures: dict[str, Figures] = {}

    def _plan(self, name: str, remedy: Remedy) -> None:
        if reason := _untried(self._base, name):
            self._unable.append(Unable(remedy, reason))
            return
        remedied = with_remedy(self._base, name)
        if remedied is None:
            self._inapplicable.append(name)
            return
        try:
            self._known[name] = _with_its_danger(remedy)
        except EnvironmentProblem as problem:
            self._unable.append(Unable(remedy, problem.in_one_line))
            return
        self._named[name] = replace(remedied, name=f"{remedied.name}+{name}")

    def run(self) -> int:
        total = sum(each.plan.total_requests for each in self._named.values())
        jobs = min(self._jobs, len(self._named))
        about = -(-len(self._named) // jobs) * (estimate_s(self._base) + 1)
        # What a policy waits between its tries depends on what fails.
        more = " and what retries wait" if any(name.startswith(RETRY) for name in self._named) else ""
        self._screen.text(header(self._base))
        say(f"{len(self._named)} runs, {jobs} at a time; about {about:.0f} s{more}")
        with interrupts() as stop, Workers(list(self._named.values()), jobs) as workers:
            stop.stops(workers.interrupt)
            with progress(total=total, about_s=about) as shown:
                for done in workers.results(TICK_S):
                    if done is not None:
                        self._take(done)
                    shown.reached(workers.attempts, f"{len(self._figures)}/{len(self._named)} runs")
            interrupted = stop.happened
        return self._finish(interrupted=interrupted)

    def _take(self, done: Done) -> None:
        name = self._by_scenario[done.scenario.name]
        if done.error is not None:
            if name == NOTHING:
                raise done.error
            self._unable.append(Unable(self._known[name], done.error.in_one_line))
        elif done.run is not None and done.run.requests:
            self._figures[name] = figures_of(summarize(done.run))
            self._records.write(name, done.run)
            if name == NOTHING:
                self._run_without = replace(done.run, scenario=self._base)

    def _finish(self, *, interrupted: bool) -> int:
        if self._run_without is None:
            say("Interrupted before there was anything to compare with.", "")
        else:
            run = self._run_without
            comparison = self._comparison(replace(run, interrupted=run.interrupted or interrupted))
            try:
                self._screen.print(page(comparison, self._screen))
            finally:
                self._outputs.write(comparison)
        return ExitCode.INTERRUPTED if interrupted else ExitCode.OK

    def _comparison(self, run: Run) -> Comparison:
        baseline = self._figures[NOTHING]
        method = self._base.client.method
        results = [
            judge(self._known[name], figures, baseline, method)
            for name, figures in self._figures.items()
            if name != NOTHING
        ]
        return Comparison(
            run, without_remedy(baseline), ranked(results), tuple(self._unable), tuple(self._inapplicable)
        )

"""``run``: several scenarios, each held against what it expects."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from pathlib import Path

from rich.text import Text

from econnlab.attribution.summary import Summary, summarize
from econnlab.cli.console import LabConsole, console, say
from econnlab.cli.header import header
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.commands.experiments.capturing import Capture
from econnlab.commands.experiments.outcomes import Batch, ScenarioResult, Status
from econnlab.commands.experiments.rendering import print_warnings
from econnlab.commands.experiments.report.batch import result_line
from econnlab.commands.experiments.report.terminal import report
from econnlab.errors import EnvironmentProblem, ExitCode, UsageProblem, did_you_mean
from econnlab.lab.checks import ensure_peers, read_scenario
from econnlab.lab.workers import Done, Workers
from econnlab.scenario.catalogue import CHECK, PEERS, load, names
from econnlab.scenario.model import Scenario

BATCHES = "econnlab.commands.experiments.batch_formats"
#: With more, the processes of one scenario disturb the timing of another on two cores.
DEFAULT_JOBS = 4


@dataclass(frozen=True)
class RunOptions:
    """What ``run`` was asked for."""

    scenarios: tuple[str, ...]
    every: bool
    dry_run: bool
    jobs: int | None
    seed: int | None
    files: Files


def run_scenarios(options: RunOptions) -> int:
    """Run them and report. Returns the exit code."""
    chosen = _chosen(options)
    if options.dry_run:
        for scenario in chosen:
            console().text(header(scenario))
        return ExitCode.OK
    files = options.files
    if len(chosen) > 1:
        _refuse_files_of_one_run(files)
        of_batch = Files(BATCHES, files.formats)
        files = Files(files.package)
    else:
        files, of_batch = files.split(BATCHES)
    reads = [*options.scenarios]
    with (
        Outputs(files, reads) as outputs,
        Outputs(of_batch, reads) as batch_outputs,
        Recorder(files.save) as recorder,
        Capture(files.capture, chosen[0], drawn=files.timeline) as capture,
    ):
        screen = console(stderr=options.files.on_stdout)
        running = _BatchRun(chosen, screen, outputs, recorder, capture)
        try:
            return running.run(options.jobs or DEFAULT_JOBS, drawn=files.timeline)
        finally:
            batch_outputs.write(running.batch)


def _refuse_files_of_one_run(files: Files) -> None:
    _, others = Files(BATCHES, files.formats).split(files.package)
    if others.formats or files.save or files.capture or files.timeline:
        raise UsageProblem(
            "--csv, --save, --capture and --timeline are for one run.",
            "Name one scenario with them, or take --json, --junit or --markdown.",
        )


def _chosen(options: RunOptions) -> list[Scenario]:
    asked = options.scenarios
    if options.every:
        asked = (*names(), *_with_peers(), *asked)
    if not asked:
        raise UsageProblem(
            "No scenario is named.", "Name some, or give --all; `econnlab scenarios` lists them."
        )
    found = [name for each in asked for name in _matching(each)]
    chosen = [read_scenario(each) for each in dict.fromkeys(found)]
    if options.seed is not None:
        chosen = [replace(scenario, seed=options.seed) for scenario in chosen]
    return chosen


def _matching(asked: str) -> list[str]:
    """The scenarios that a pattern such as ``truncated*`` matches; a name or a file as it is."""
    if not set(asked) & set("*?[") or Path(asked).exists():
        return [asked]
    known = [*names(), *names(PEERS), *names(CHECK)]
    found = fnmatch.filter(known, asked)
    if not found:
        raise UsageProblem(f"No scenario matches {asked!r}.", did_you_mean(asked.strip("*?"), known))
    return found


def _with_peers() -> list[str]:
    """The scenarios whose real server or proxy is installed; the others are named on stderr."""
    able = []
    for name in names(PEERS):
        try:
            ensure_peers(load(name))
            able.append(name)
        except EnvironmentProblem as problem:
            say(f"left out: {name}. {problem.in_one_line}")
    return able


class _BatchRun:
    """The scenarios while they run; ``batch`` holds those that ended."""

    def __init__(
        self,
        chosen: list[Scenario],
        screen: LabConsole,
        outputs: Outputs,
        recorder: Recorder,
        capture: Capture,
    ) -> None:
        self._chosen = chosen
        self._screen = screen
        self._outputs = outputs
        self._recorder = recorder
        self._capture = capture
        self.batch = Batch((), len(chosen), interrupted=False)

    def run(self, jobs: int, *, drawn: bool) -> int:
        """Run them, at most ``jobs`` at a time. Returns the exit code."""
        alone = len(self._chosen) == 1
        plan = self._capture.plan
        captures = {} if plan is None else {self._chosen[0].name: plan}
        with interrupts() as stop, Workers(self._chosen, jobs, captures) as workers:
            stop.stops(workers.interrupt)
            if alone:
                self._screen.text(header(self._chosen[0]))
            with progress(total=sum(each.plan.total_requests for each in self._chosen)) as shown:
                for done in workers.results(TICK_S):
                    if done is not None:
                        shown.clear()
                        self._take(done, alone=alone, drawn=drawn)
                    shown.reached(workers.attempts, self._stage)
            self.batch = replace(self.batch, interrupted=stop.happened)
        self._screen.text(Text(self.batch.conclusion, "bold"))
        return self._exit_code()

    @property
    def _stage(self) -> str:
        return f"{len(self.batch.results)}/{len(self._chosen)} scenarios" if len(self._chosen) > 1 else ""

    def _take(self, done: Done, *, alone: bool, drawn: bool) -> None:
        summary = None if done.run is None else summarize(done.run)
        result = ScenarioResult(done.scenario, summary, done.error, done.took_s)
        self.batch = replace(self.batch, results=(*self.batch.results, result))
        if alone and summary is not None:
            self._report(summary, drawn=drawn)
        self._screen.text(result_line(result))

    def _report(self, summary: Summary, *, drawn: bool) -> None:
        try:
            self._recorder.whole(summary.run)
            self._screen.print(report(summary, self._screen))
            for ladder in self._capture.drawn(summary) if drawn else ():
                self._screen.text(ladder)
            print_warnings(summary)
        finally:
            try:
                self._outputs.write(summary)
            finally:
                self._capture.write(summary)

    def _exit_code(self) -> int:
        errors = [each.error for each in self.batch.results if each.error is not None]
        if self.batch.interrupted:
            return ExitCode.INTERRUPTED
        if self.batch.count(Status.BROKEN):
            return ExitCode.EXPECTATION
        return errors[-1].exit_code if errors else ExitCode.OK

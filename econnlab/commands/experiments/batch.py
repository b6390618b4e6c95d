"""``run``: several scenarios, each held against what it expects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from econnlab.attribution.expectations import broken
from econnlab.attribution.summary import Summary, summarize
from econnlab.cli.console import console, say
from econnlab.cli.header import header
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.commands.experiments.capturing import Capture
from econnlab.commands.experiments.rendering import print_warnings
from econnlab.commands.experiments.report.batch import Tally
from econnlab.commands.experiments.report.terminal import report
from econnlab.errors import EconnlabError, EnvironmentProblem, ExitCode, UsageProblem
from econnlab.lab.checks import ensure_peers, read_scenario
from econnlab.lab.workers import Done, Workers
from econnlab.scenario.catalogue import PEERS, load, names
from econnlab.scenario.model import Scenario

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
            console().print(header(scenario), soft_wrap=True)
        return ExitCode.OK
    files = options.files
    if len(chosen) > 1 and (files.formats or files.save or files.capture or files.timeline):
        raise UsageProblem(
            "--csv, --json, --save, --capture and --timeline are for one run.",
            "Name one scenario with them, or leave them out.",
        )
    with (
        Outputs(files) as outputs,
        Recorder(files.save) as recorder,
        Capture(files.capture, chosen[0], drawn=files.timeline) as capture,
    ):
        batch = _Batch(chosen, options.jobs or DEFAULT_JOBS, outputs, recorder, capture)
        return batch.run(drawn=files.timeline)


def _chosen(options: RunOptions) -> list[Scenario]:
    asked = options.scenarios
    if options.every:
        asked = (*names(), *_with_peers(), *asked)
    if not asked:
        raise UsageProblem(
            "No scenario is named.", "Name some, or give --all; `econnlab scenarios` lists them."
        )
    chosen = [read_scenario(each) for each in dict.fromkeys(asked)]
    if options.seed is not None:
        chosen = [replace(scenario, seed=options.seed) for scenario in chosen]
    return chosen


def _with_peers() -> list[str]:
    """The scenarios whose real server or proxy is installed; the others are named on stderr."""
    able = []
    for name in names(PEERS):
        try:
            ensure_peers(load(name))
            able.append(name)
        except EnvironmentProblem as problem:
            say(f"left out: {name}. {problem}")
    return able


class _Batch:
    def __init__(
        self, chosen: list[Scenario], jobs: int, outputs: Outputs, recorder: Recorder, capture: Capture
    ) -> None:
        self._capture = capture
        self._chosen = chosen
        self._jobs = jobs
        self._outputs = outputs
        self._recorder = recorder
        self._screen = outputs.screen
        self._tally = Tally(len(chosen))
        self._error: EconnlabError | None = None

    def run(self, *, drawn: bool) -> int:
        alone = len(self._chosen) == 1
        plan = self._capture.plan
        captures = {} if plan is None else {self._chosen[0].name: plan}
        with interrupts() as stop, Workers(self._chosen, self._jobs, captures) as workers:
            stop.stops(workers.interrupt)
            if alone:
                self._screen.print(header(self._chosen[0]), soft_wrap=True)
            with progress(sum(each.plan.total_requests for each in self._chosen)) as shown:
                for done in workers.results(TICK_S):
                    shown.reached(workers.attempts)
                    if done is not None:
                        shown.pause()  # its last drawing must not stand between the lines
                        self._show(done, alone=alone, drawn=drawn)
                        shown.go_on()
            self._screen.print(self._tally.conclusion(), soft_wrap=True)
            if stop.happened:
                return ExitCode.INTERRUPTED
        if self._tally.broken:
            return ExitCode.EXPECTATION
        return ExitCode.OK if self._error is None else self._error.exit_code

    def _show(self, done: Done, *, alone: bool, drawn: bool) -> None:
        self._error = done.error or self._error
        summary = None if done.run is None else summarize(done.run)
        missed = self._missed(done, summary)
        if alone and summary is not None:
            self._screen.print(report(summary, self._screen))
            for ladder in self._capture.drawn(summary) if drawn else ():
                self._screen.print(ladder, soft_wrap=True)
            print_warnings(summary)
            self._recorder.whole(summary.run)
            try:
                self._outputs.write(summary)
            finally:
                self._capture.write(summary)
        self._screen.print(
            self._tally.line(done.scenario, summary, missed, done.error, done.took_s), soft_wrap=True
        )

    def _missed(self, done: Done, summary: Summary | None) -> list[str]:
        expect = done.scenario.expect
        if summary is None or expect is None or summary.run.interrupted:
            return []
        return broken(summary, expect)

"""What ``run`` and ``scenarios`` do: several scenarios, each held against what it expects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from econnlab.attribution.expectations import broken
from econnlab.attribution.summary import Summary, summarize
from econnlab.cli.console import LabConsole, OutputClosed, console
from econnlab.cli.header import header
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.commands.experiments.capturing import Capture
from econnlab.commands.experiments.rendering import print_warnings
from econnlab.commands.experiments.report.batch import Tally, catalogue, scenario_page
from econnlab.commands.experiments.report.terminal import report
from econnlab.errors import EconnlabError, EnvironmentProblem, ExitCode, UsageProblem
from econnlab.lab.checks import ensure_peers, read_scenario
from econnlab.lab.workers import Done, Workers
from econnlab.scenario.catalogue import CHECK, PEERS, load, names
from econnlab.scenario.model import Scenario
from econnlab.scenario.toml import write_scenario

_OF_ONE_RUN = ("csv", "json", "save", "capture", "timeline")
#: More at a time than this and the processes of one disturb the timing of another, on two cores.
DEFAULT_JOBS = 4


def show_catalogue() -> int:
    """Print a line per scenario."""
    screen = console()
    return _printed(
        screen, catalogue(*([load(name) for name in names(group)] for group in ("", PEERS, CHECK)))
    )


def show_scenario(name: str) -> int:
    """Print the story of the scenario ``name`` and its file."""
    scenario = read_scenario(name)
    return _printed(console(), scenario_page(scenario, write_scenario(replace(scenario, title="", story=""))))


def _printed(screen: LabConsole, renderable: Any) -> int:
    try:
        screen.print(renderable, soft_wrap=True)
    except OutputClosed:
        return ExitCode.PIPE_CLOSED
    return ExitCode.OK


def run_scenarios(asked: tuple[str, ...], values: dict[str, Any]) -> int:
    """Run them and report. Returns the exit code."""
    if values["every"]:
        asked = (*names(), *_with_peers(), *asked)
    if not asked:
        raise UsageProblem(
            "No scenario is named.", "Name some, or say --all; `econnlab scenarios` lists them."
        )
    chosen = [read_scenario(each) for each in dict.fromkeys(asked)]
    if values["seed"] is not None:
        chosen = [replace(scenario, seed=values["seed"]) for scenario in chosen]
    if values["dry_run"]:
        return _show_plans(chosen)
    if len(chosen) > 1 and any(values.get(name) for name in _OF_ONE_RUN):
        raise UsageProblem(
            "--csv, --json, --save, --capture and --timeline are of one run.",
            "Name one scenario with them, or leave them out.",
        )
    with (
        Outputs(values) as outputs,
        Recorder(values["save"]) as recorder,
        Capture(values["capture"], chosen[0], drawn=values["timeline"]) as capture,
    ):
        batch = _Batch(chosen, values["jobs"] or DEFAULT_JOBS, outputs, recorder, capture)
        return batch.run(drawn=values["timeline"])


def _with_peers() -> list[str]:
    """The scenarios whose real server or proxy is installed; the others are named on stderr."""
    able = []
    for name in names(PEERS):
        try:
            ensure_peers(load(name))
            able.append(name)
        except EnvironmentProblem as problem:
            console(stderr=True).print(f"left out: {name}. {problem}", style="dim", soft_wrap=True)
    return able


def _show_plans(chosen: list[Scenario]) -> int:
    screen = console()
    for scenario in chosen:
        if code := _printed(screen, header(scenario)):
            return code
    return ExitCode.OK


class _Batch:
    def __init__(
        self, chosen: list[Scenario], jobs: int, outputs: Outputs, recorder: Recorder, capture: Capture
    ) -> None:
        self._capture = capture
        self._chosen = chosen
        self._jobs = jobs
        self._outputs = outputs
        self._recorder = recorder
        self._screen = console(stderr=outputs.on_stdout)
        self._tally = Tally(len(chosen))
        self._error: EconnlabError | None = None

    def run(self, *, drawn: bool) -> int:
        alone = len(self._chosen) == 1
        plan = self._capture.plan
        captures = {} if plan is None else {self._chosen[0].name: plan}
        with interrupts() as stop, Workers(self._chosen, self._jobs, captures) as workers:
            stop.stops(workers.interrupt)
            try:
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
            except OutputClosed:
                return ExitCode.PIPE_CLOSED
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

"""What keepalive, sweep and maxconn have in common: run a scenario, show it as it happens, report, save."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from econnlab.attribution.explanations import Explanations
from econnlab.attribution.summary import summarize
from econnlab.cli.console import LabConsole, say
from econnlab.cli.header import estimate_s, header
from econnlab.cli.interrupts import Interrupts, interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.commands.experiments.capturing import Capture
from econnlab.commands.experiments.rendering import print_warnings
from econnlab.commands.experiments.report.terminal import report, request_line
from econnlab.errors import EnvironmentProblem, ExitCode
from econnlab.lab.checks import check
from econnlab.lab.lab import Lab
from econnlab.lab.namespace import enter
from econnlab.record.attempts import Request
from econnlab.scenario.catalogue import COMMANDS, names
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import reuse_warning
from econnlab.scenario.toml import write_scenario


def run_experiment(scenario: Scenario, files: Files, *, show_scenario: bool, lines: bool) -> int:
    """Run ``scenario`` and report it; ``lines`` shows each request as it ends. Returns the exit code."""
    if show_scenario:
        sys.stdout.write(write_scenario(scenario))
        return ExitCode.OK
    check(scenario)
    # Files first: opening a named pipe waits for its reader, and Ctrl-C must end that.
    with (
        Outputs(files) as outputs,
        Recorder(files.save) as recorder,
        Capture(files.capture, scenario, drawn=files.timeline) as capture,
        interrupts() as stop,
    ):
        if capture.private:
            enter({})  # before there is a second thread
        lab = Lab(scenario, own_namespace=capture.private, capture=capture.into)
        experiment = _Experiment(lab, outputs.screen, recorder, lines=lines)
        experiment.run(stop)
        experiment.finish(outputs, capture, drawn=files.timeline)
        return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


class _Experiment:
    def __init__(self, lab: Lab, screen: LabConsole, recorder: Recorder, *, lines: bool) -> None:
        self._lab = lab
        self._screen = screen
        self._recorder = recorder
        self._lines = lines
        #: What ended the run early: a process of the lab died, or the reader of the screen left.
        self._failed: EnvironmentProblem | BrokenPipeError | None = None

    def run(self, stop: Interrupts) -> None:
        """Run to the end, to ``stop``, or to a failure that ``finish`` raises."""
        stop.stops(self._lab.interrupt)
        with self._lab as lab:
            self._recorder.start(lab.run)
            self._why = Explanations(lab.run)
            with self._keeping_errors():
                self._screen.text(header(lab.scenario))
                self._warn(lab.scenario)
                self._follow(lab)
        with self._keeping_errors():
            self._recorder.end(lab.run)

    @contextlib.contextmanager
    def _keeping_errors(self) -> Iterator[None]:
        try:
            yield
        except (EnvironmentProblem, BrokenPipeError) as problem:
            self._failed = self._failed or problem

    def _warn(self, scenario: Scenario) -> None:
        """A short timeout that an option gave; in a scenario's file, it is on purpose."""
        if scenario.server is not None and scenario.name in names(COMMANDS):
            warning = reuse_warning(scenario.server, "a scenario of your own with advertise = false")
            if warning:
                say(warning, "yellow")

    def _follow(self, lab: Lab) -> None:
        total, about_s = lab.scenario.plan.total_requests, estimate_s(lab.scenario)
        with progress(total=total, about_s=about_s) as shown:
            for request in lab.requests(TICK_S):
                if request is not None:
                    self._recorder.request(request)
                    if self._lines:
                        shown.clear()
                        self._show(lab, request)
                shown.reached(len(lab.run.requests))

    def _show(self, lab: Lab, request: Request) -> None:
        if len(request.attempts) > 1 or not request.ok:
            lab.sync()
            self._why.update()
            self._recorder.events(lab.run)
        failures = self._why.so_far(request)
        self._screen.text(request_line(lab.scenario, request, failures))

    def _warn_of_unnamed(self) -> None:
        if self._lab.unnamed:
            where = "connections whose requests did not start with the path of ECONNLAB_URL"
            say(
                f"warning: {self._lab.unnamed} attempts were on {where}; the table leaves them out.", "yellow"
            )

    def finish(self, outputs: Outputs, capture: Capture, *, drawn: bool) -> None:
        """Print the table, then warnings; write the files even if that fails. Raises what ended the run."""
        summary = summarize(self._lab.run, self._why)
        try:
            if not isinstance(self._failed, BrokenPipeError):
                self._screen.print(report(summary, self._screen))
                for ladder in capture.drawn(summary) if drawn else ():
                    self._screen.text(ladder)
        finally:
            print_warnings(summary)
            self._warn_of_unnamed()
            try:
                outputs.write(summary)
            finally:
                capture.write(summary)
        if self._failed is not None:
            raise self._failed

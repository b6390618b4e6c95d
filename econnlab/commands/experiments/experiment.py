"""What keepalive, sweep and maxconn have in common: run a scenario, show it as it happens, report, save."""

from __future__ import annotations

from typing import Any

from econnlab.attribution.explanations import Explanations
from econnlab.attribution.summary import summarize
from econnlab.cli.console import LabConsole, OutputClosed, console
from econnlab.cli.header import header
from econnlab.cli.interrupts import Interrupts, interrupts
from econnlab.cli.outputs import Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.cli.saving import Recorder
from econnlab.commands.experiments.capturing import Capture
from econnlab.commands.experiments.rendering import print_scenario, print_warnings
from econnlab.commands.experiments.report.terminal import report, request_line
from econnlab.errors import EnvironmentProblem, ExitCode
from econnlab.lab.lab import Lab
from econnlab.lab.namespace import enter
from econnlab.record.attempts import Request
from econnlab.scenario.model import Scenario


def run_experiment(scenario: Scenario, values: dict[str, Any], *, lines: bool) -> int:
    """Run ``scenario`` and report it; ``lines`` shows each request as it ends. Returns the exit code."""
    if values["show_scenario"]:
        print_scenario(scenario)
        return ExitCode.OK
    # Files first: opening a named pipe waits for its reader, and Ctrl-C must end that.
    with (
        Outputs(values) as outputs,
        Recorder(values["save"]) as recorder,
        Capture(values["capture"], scenario, drawn=values["timeline"]) as capture,
        interrupts() as stop,
    ):
        screen = console(stderr=outputs.on_stdout)
        if capture.private:
            enter({})  # before there is a second thread
        lab = Lab(scenario, own_namespace=capture.private, capture=capture.into)
        experiment = _Experiment(lab, screen, recorder, lines=lines)
        failed = experiment.run(stop)
        experiment.finish(outputs, capture, drawn=values["timeline"])
        if failed is not None:
            raise failed
        if experiment.output_closed:
            return ExitCode.PIPE_CLOSED
        return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


class _Experiment:
    def __init__(self, lab: Lab, screen: LabConsole, recorder: Recorder, *, lines: bool) -> None:
        self._scenario = lab.scenario
        self._screen = screen
        self._recorder = recorder
        self._lines = lines
        self._lab = lab
        self.output_closed = False

    def run(self, stop: Interrupts) -> EnvironmentProblem | None:
        """Run to the end, or until ``stop``; a process of the lab that died is returned, not raised."""
        failed: EnvironmentProblem | None = None
        stop.stops(self._lab.interrupt)
        with self._lab as lab:
            self._recorder.begin(lab.run)
            self._why = Explanations(lab.run)
            try:
                self._print(header(self._scenario))
                self._follow(lab)
            except EnvironmentProblem as problem:
                failed = problem
        self._recorder.end(lab.run)
        return failed

    def _follow(self, lab: Lab) -> None:
        total = self._scenario.plan.total_requests
        with progress(total, enabled=not self._lines) as shown:
            for request in lab.requests(TICK_S):
                if request is None:
                    shown.reached(len(lab.run.requests))
                    continue
                self._recorder.request(request)
                if self._lines:
                    self._show(lab, request)

    def _show(self, lab: Lab, request: Request) -> None:
        if len(request.attempts) > 1 or not request.ok:
            lab.sync()
            self._why.update()
            self._recorder.events(lab.run)
        self._print(request_line(self._scenario, request, self._why.so_far(request)))

    def _print(self, text: Any) -> None:
        if self.output_closed:
            return
        try:
            self._screen.print(text, soft_wrap=True)
        except OutputClosed:
            self.output_closed = True
            self._lab.interrupt()

    def finish(self, outputs: Outputs, capture: Capture, *, drawn: bool) -> None:
        """Print the table, then warnings; write the files whatever becomes of that."""
        summary = summarize(self._lab.run, self._why)
        try:
            if not self.output_closed:
                self._screen.print(report(summary, self._screen))
                for ladder in capture.drawn(summary) if drawn else ():
                    self._screen.print(ladder, soft_wrap=True)
        except OutputClosed:
            self.output_closed = True
        finally:
            print_warnings(summary)
            try:
                outputs.write(summary)
            finally:
                capture.write(summary)

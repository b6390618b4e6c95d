"""Reports: of a run just made, or of one read from its record."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from econnlab.attribution.notes import warnings
from econnlab.attribution.summary import Summary, summarize
from econnlab.cli.console import LabConsole, OutputClosed, console
from econnlab.cli.header import header
from econnlab.cli.outputs import STDOUT, Outputs
from econnlab.commands.experiments.report.terminal import report
from econnlab.errors import ExitCode, UsageProblem
from econnlab.record.jsonl import read_run
from econnlab.record.run import Run
from econnlab.scenario.model import Scenario
from econnlab.scenario.toml import write_scenario


def render_record(where: str, values: dict[str, Any]) -> int:
    """Print and write the run in the file ``where``. Returns the exit code."""
    with Outputs(values) as outputs:
        summary = summarize(_read(where))
        screen = console(stderr=outputs.on_stdout)
        try:
            screen.print(header(summary.run.scenario), soft_wrap=True)
            screen.print(report(summary, screen))
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
        print_warnings(summary)
        outputs.write(summary)
    return ExitCode.OK


def print_scenario(scenario: Scenario) -> None:
    """As TOML, on stdout."""
    sys.stdout.write(write_scenario(scenario))


def print_warnings(summary: Summary) -> None:
    """On stderr, a line each."""
    notes: LabConsole = console(stderr=True)
    # Nobody reads them, or nothing more fits there: the files are still to be written.
    with contextlib.suppress(OutputClosed, OSError):
        for warning in warnings(summary):
            notes.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def _read(where: str) -> Run:
    if where == STDOUT:
        return read_run(sys.stdin, "stdin")
    try:
        with Path(where).open(encoding="utf-8", errors="replace") as lines:
            return read_run(lines, where)
    except OSError as error:
        raise UsageProblem(
            f"{where!r} cannot be read: {error.strerror}.", "Give a file that --save wrote."
        ) from error

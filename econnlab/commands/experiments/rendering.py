"""Reports: of a run just made, or of one read from its record."""

from __future__ import annotations

import sys
from pathlib import Path

from econnlab.attribution.notes import warnings
from econnlab.attribution.summary import Summary, summarize
from econnlab.cli.console import say
from econnlab.cli.files import STDOUT
from econnlab.cli.header import header
from econnlab.cli.outputs import Files, Outputs
from econnlab.commands.experiments.report.terminal import report
from econnlab.errors import ExitCode, UsageProblem
from econnlab.record.jsonl import read_run
from econnlab.record.run import Run


def render_record(where: str, files: Files) -> int:
    """Print and write the run in the file ``where``. Returns the exit code."""
    with Outputs(files, reads=[where]) as outputs:
        summary = summarize(_read(where))
        screen = outputs.screen
        try:
            screen.text(header(summary.run.scenario))
            screen.print(report(summary, screen))
            print_warnings(summary)
        finally:
            outputs.write(summary)
    return ExitCode.OK


def print_warnings(summary: Summary) -> None:
    """On stderr, a line each."""
    for warning in warnings(summary):
        say(f"warning: {warning}", "yellow")


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

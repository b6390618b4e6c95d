"""``explain --log``: the log opened, read and reported."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, cast

from econnlab.cli.interrupts import interrupts
from econnlab.commands.explain.log.outputs import csv, json
from econnlab.commands.explain.log.reading_log import read_log
from econnlab.commands.explain.log.report import page
from econnlab.commands.explain.log.source import Stream, batches
from econnlab.commands.explain.log.tally import Tally
from econnlab.commands.explain.screen import STDIN, print_lines, width
from econnlab.errors import ExitCode, UsageProblem


@dataclass(frozen=True)
class LogOptions:
    """What was asked for."""

    file: str
    format: str
    as_json: bool
    as_csv: bool


def explain_log(options: LogOptions) -> int:
    """Print every failure in the log, grouped. Returns the exit code."""
    if options.as_json and options.as_csv:
        raise UsageProblem("Only one output fits on stdout.", "Give --json or --csv.")
    name = "stdin" if options.file == STDIN else options.file
    with _opened(options.file) as stream, interrupts() as stop:
        stop.stops(_interrupt)
        tally = read_log(batches(stream), options.format)
    _report(tally, name, options)
    if tally.interrupted:
        return ExitCode.INTERRUPTED
    if tally.problem:
        raise UsageProblem(f"{name}: {tally.problem}", "Copy the file again.")
    return ExitCode.OK


def _interrupt() -> NoReturn:
    # A read from a pipe is not ended by a flag.
    raise KeyboardInterrupt


@contextlib.contextmanager
def _opened(file: str) -> Iterator[Stream]:
    if file == STDIN:
        yield cast("Stream", sys.stdin.buffer)
        return
    try:
        stream = open(file, "rb")  # noqa: SIM115
    except OSError as error:
        raise UsageProblem(
            f"{file!r} cannot be read: {error.strerror}.", "Give the path of a log."
        ) from error
    with stream:
        yield stream


def _report(tally: Tally, name: str, options: LogOptions) -> None:
    if options.as_json:
        sys.stdout.write(json.render(tally, name))
    elif options.as_csv:
        sys.stdout.write(csv.render(tally, name))
    else:
        plain = not (sys.stdout.encoding or "").lower().startswith("utf")
        print_lines(page(tally, name, width(), ascii_only=plain))

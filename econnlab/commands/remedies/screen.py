"""``remedies``: a scenario run once per remedy, side by side, and compared."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from rich.text import Text

from econnlab.advice.snippet import page_of, remedies_with_snippets
from econnlab.cli.console import console, say
from econnlab.cli.files import cannot_write
from econnlab.cli.header import header
from econnlab.cli.interrupts import interrupts
from econnlab.cli.options import changed
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import progress
from econnlab.cli.saving import Recorder
from econnlab.commands.remedies.catalogue import RETRY, catalogue
from econnlab.commands.remedies.pasting import lines_to_paste
from econnlab.commands.remedies.report import page
from econnlab.commands.remedies.runs import ComparedRuns
from econnlab.errors import ExitCode, UsageProblem, did_you_mean
from econnlab.lab.checks import read_scenario
from econnlab.record.run import Run
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.model import Scenario

DEFAULT_SCENARIO = "keepalive-race"


@dataclass(frozen=True)
class RemediesOptions:
    """The options of ``remedies``. None keeps the scenario's value."""

    scenario: str | None
    remedies: tuple[str, ...]
    #: Only list them.
    listed: bool
    #: Only print the lines to paste for this remedy; with ``stack``, only those for that client or server.
    show: str | None
    stack: str | None
    method: str | None
    #: A real server, and another client, for the scenario's own.
    peer: str | None
    kind: str | None
    intervals_ms: tuple[Decimal, ...] | None
    keepalive_timeout_ms: Decimal | None
    link: LinkSpec | None
    sessions: int | None
    requests: int | None
    seed: int | None
    jobs: int | None
    #: The folder for a record of each run.
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


def list_remedies() -> int:
    """Print a line per remedy."""
    known = catalogue()
    width = max(map(len, known))
    return _print(Text("\n").join(_entry(name, remedy.help, width) for name, remedy in known.items()))


def _entry(name: str, said: str, width: int) -> Text:
    return Text.assemble((f"{name:<{width}}", "bold"), f"  {said}")


def show_snippets(name: str | None, stack: str | None) -> int:
    """Print the lines to paste for the remedy ``name``. Raises UsageProblem if there are none."""
    if name is None:
        raise UsageProblem("--for selects from the lines of one remedy.", "Add --show NAME.")
    family = "retry" if name.startswith(RETRY) and name in catalogue() else name
    if family not in remedies_with_snippets():
        raise _unknown("lines to paste for", name, remedies_with_snippets())
    return _print(lines_to_paste(page_of(family), family, stack))


def _print(text: Text) -> int:
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
    runs = ComparedRuns(base, {name: known[name] for name in options.remedies or known}, options.jobs)
    records = _Records(options.folder)
    with Outputs(options.files, reads=[options.scenario]) as outputs:
        outputs.screen.text(header(base))
        say(runs.estimate)
        with interrupts() as stop, runs.workers() as workers:
            stop.stops(workers.interrupt)
            with progress(total=runs.planned_requests, about_s=runs.about_s) as shown:
                for ended in runs.results(workers):
                    shown.reached(workers.attempts)
                    if ended is not None:
                        records.write(*ended)
            interrupted = stop.happened
        _report(runs, outputs, interrupted=interrupted)
    return ExitCode.INTERRUPTED if interrupted else ExitCode.OK


def _report(runs: ComparedRuns, outputs: Outputs, *, interrupted: bool) -> None:
    comparison = runs.comparison(interrupted=interrupted)
    if comparison is None:
        say("Interrupted before there was anything to compare with.", "")
        return
    try:
        outputs.screen.print(page(comparison, outputs.screen))
    finally:
        outputs.write(comparison)


def baseline_of(options: RemediesOptions) -> Scenario:
    """The scenario to run, without its own retries."""
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


class _Records:
    """A folder with a record per run; without ``where``, nothing. Raises EnvironmentProblem."""

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
        """Save the whole ``run``."""
        if self._folder is not None:
            with Recorder(str(self._folder / f"{name}.jsonl")) as recorder:
                recorder.whole(run)

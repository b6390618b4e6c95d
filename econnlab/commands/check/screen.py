"""``check``: the user's command under each scenario, the matrix, the files."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from econnlab.cli.console import LabConsole, say
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.pages import commands
from econnlab.cli.progress import TICK_S, progress
from econnlab.commands.check import report as page
from econnlab.commands.check.annotations import annotation, disarmed
from econnlab.commands.check.expectations import expectations
from econnlab.commands.check.next_steps import after_check
from econnlab.commands.check.result import Check
from econnlab.commands.check.runs import CALM, CALM_RUNS, Checking
from econnlab.commands.check.survival import Survival
from econnlab.errors import ExitCode, UsageProblem
from econnlab.lab.checks import read_scenario
from econnlab.scenario.catalogue import CHECK, load, names
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Scenario

#: With more, the processes of one scenario disturb the timing of another on two cores.
DEFAULT_JOBS = 4
_LONGEST_ANSWER = 1_000_000
#: The format that records the verdicts; with it, no verdict fails the check.
_RECORDED = "write_expectations"


@dataclass(frozen=True)
class CheckOptions:
    """The options of ``check``."""

    #: The command under test.
    words: tuple[str, ...]
    scenarios: tuple[str, ...]
    timeout: Decimal
    #: A file with the answer to every request.
    answer: str | None
    #: SCENARIO=VERDICT[,VERDICT]
    expect: tuple[str, ...]
    #: A TOML file with the same.
    expectations: str | None
    #: ``not met`` is right too, where ``expect`` and ``expectations`` say nothing.
    allow_not_met: bool
    #: The check fails if more than this share of the verdicts is unexpected, in percent.
    fail_over: float
    jobs: int | None
    files: Files


def check_command(options: CheckOptions) -> int:
    """Check the command and report. Returns the exit code."""
    if not options.words:
        raise UsageProblem("No command is given.", "Write it after --, as econnlab check -- curl -sSf {url}")
    timeout_s = seconds(options.timeout)
    if not timeout_s:
        raise UsageProblem("A command cannot end in no time.", "Give a --timeout above 0.")
    answer = _answer(options.answer)
    scenarios = [_answering(scenario, answer) for scenario in _chosen(options.scenarios)]
    known = [scenario.name for scenario in scenarios]
    expected = expectations(options.expect, options.expectations, known)
    allowed = frozenset({Survival.NOT_MET} if options.allow_not_met else ())
    reads = [options.answer, options.expectations, *options.scenarios]
    with Outputs(options.files, reads) as outputs, interrupts() as stop:
        jobs, calm = options.jobs or DEFAULT_JOBS, _answering(CALM, answer)
        with Checking(options.words, scenarios, expected, timeout_s, jobs, calm, allowed) as checking:
            stop.stops(checking.interrupt)
            _run(checking, len(scenarios))
        if checking.result is None:
            say(f"Stopped in the {CALM_RUNS} runs without trouble: nothing was judged.", "")
            return ExitCode.INTERRUPTED
        _report(checking.result, outputs)
        return ExitCode.INTERRUPTED if stop.happened else _exit_code(checking.result, options)


def _run(checking: Checking, scenarios: int) -> None:
    """The bar counts the scenarios, without the calm runs before them."""
    with progress("scenarios", scenarios) as shown:
        ended = 0
        for checked in checking.runs(TICK_S):
            ended += checked is not None
            shown.reached(ended, "without trouble first" if checking.result is None else "")


def _report(check: Check, outputs: Outputs) -> None:
    try:
        _show(check, outputs.screen)
    finally:
        outputs.write(check)


def _exit_code(check: Check, options: CheckOptions) -> int:
    share = 100 * len(check.broken) / max(1, len(check.checked))
    if check.broken and _RECORDED not in options.files.formats and share > options.fail_over:
        return ExitCode.EXPECTATION
    error = check.failed[0].error if check.failed else None
    return ExitCode.OK if error is None else error.exit_code


def _show(check: Check, screen: LabConsole) -> None:
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    screen.text(page.headline(check))
    screen.print(page.matrix(check))
    for detail in page.details(check):
        if on_github:
            detail.plain = disarmed(detail.plain)
        screen.text(detail)
    screen.text(page.conclusion(check))
    for line in commands(after_check([each.scenario.name for each in check.broken])):
        screen.print(line, soft_wrap=True)
    if on_github:
        for checked in (*check.broken, *check.failed):
            screen.print(annotation(checked), soft_wrap=True)  # a command to the runner is one line


# -- what to run ----------------------------------------------------------------------------------


def _chosen(asked: Sequence[str]) -> list[Scenario]:
    chosen = [read_scenario(each) for each in dict.fromkeys(asked)] or [load(name) for name in names(CHECK)]
    twice = next(
        (each.name for each in chosen if [other.name for other in chosen].count(each.name) > 1), None
    )
    if twice is not None:
        raise UsageProblem(f"Two scenarios are called {twice!r}.", "Give one of the files another name.")
    return chosen


def _answer(where: str | None) -> dict[str, Any]:
    """The settings of a server that answers with the text of the file ``where``."""
    if where is None:
        return {}
    try:
        text = Path(where).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(
            f"{where!r} cannot be read: {error.strerror}.", "Give the file that holds the answer."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageProblem(
            f"{where!r} is not text in UTF-8.", "Give the answer as JSON, or as other text."
        ) from error
    if not text:
        raise UsageProblem(
            f"{where!r} is empty, so no answer can be cut inside it.", "Give at least one byte."
        )
    if len(text) > _LONGEST_ANSWER:
        raise UsageProblem(
            f"{where!r} is longer than {_LONGEST_ANSWER} characters.", "Give a shorter answer."
        )
    return {"response_body": text, "content_type": mimetypes.guess_type(where)[0] or "text/plain"}


def _answering(scenario: Scenario, answer: dict[str, Any]) -> Scenario:
    if not answer or scenario.server is None:
        return scenario
    return replace(scenario, server=replace(scenario.server, **answer))

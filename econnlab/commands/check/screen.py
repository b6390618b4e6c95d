"""What ``check`` does: a command of the user's under each scenario, the matrix, the files."""

from __future__ import annotations

import mimetypes
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from econnlab.cli.console import LabConsole, say
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import TICK_S, progress
from econnlab.commands.check import report as page
from econnlab.commands.check.annotations import annotation, disarmed
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
_VERDICTS = ", ".join(each.value.replace("_", "-") for each in Survival)


@dataclass(frozen=True)
class CheckOptions:
    """What ``check`` was asked for."""

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
    expected = _expected(options, [scenario.name for scenario in scenarios])
    reads = [options.answer, options.expectations, *options.scenarios]
    with Outputs(options.files, reads) as outputs, interrupts() as stop:
        jobs, calm = options.jobs or DEFAULT_JOBS, _answering(CALM, answer)
        with Checking(options.words, scenarios, expected, timeout_s, jobs, calm) as checking:
            stop.stops(checking.interrupt)
            _run(checking, len(scenarios))
        return _report(checking.result, outputs, interrupted=stop.happened)


def _run(checking: Checking, scenarios: int) -> None:
    """A bar counts the scenarios; the calm runs before them are not among them."""
    with progress(scenarios, "scenarios") as shown:
        ended = 0
        for checked in checking.runs(TICK_S):
            ended += checked is not None
            shown.reached(ended)


def _report(check: Check | None, outputs: Outputs, *, interrupted: bool) -> int:
    if check is None:
        say(f"Stopped in the {CALM_RUNS} runs without trouble: nothing was judged.", "")
        return ExitCode.INTERRUPTED
    try:
        _show(check, outputs.screen)
    finally:
        outputs.write(check)
    if interrupted:
        return ExitCode.INTERRUPTED
    if check.broken:
        return ExitCode.EXPECTATION
    failed = check.failed
    return failed[0].error.exit_code if failed and failed[0].error is not None else ExitCode.OK


def _show(check: Check, screen: LabConsole) -> None:
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    screen.print(page.headline(check), soft_wrap=True)
    screen.print(page.matrix(check, screen))
    for detail in page.details(check):
        if on_github:
            detail.plain = disarmed(detail.plain)
        screen.print(detail, soft_wrap=True)
    screen.print(page.conclusion(check), soft_wrap=True)
    if on_github:
        for checked in (*check.broken, *check.failed):
            screen.print(annotation(checked), soft_wrap=True)


# -- what is asked for ----------------------------------------------------------------------------


def _chosen(asked: Sequence[str]) -> list[Scenario]:
    chosen = [read_scenario(each) for each in dict.fromkeys(asked)] or [load(name) for name in names(CHECK)]
    twice = next(
        (each.name for each in chosen if [other.name for other in chosen].count(each.name) > 1), None
    )
    if twice is not None:
        raise UsageProblem(f"Two scenarios are called {twice!r}.", "Give one of the files another name.")
    return chosen


def _answer(where: str | None) -> dict[str, Any]:
    """What the file ``where`` changes in a server."""
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
            f"{where!r} is empty: no answer can end inside it.", "Give one of a byte and more."
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


def _expected(options: CheckOptions, known: Sequence[str]) -> dict[str, frozenset[Survival]]:
    """By the scenario's name. The command line wins over the file, which may speak of others too."""
    found = {} if options.expectations is None else _read_expectations(options.expectations, known)
    for text in options.expect:
        name, equals, verdicts = text.partition("=")
        if not equals:
            raise UsageProblem(
                f"--expect {text!r} names no verdict.", "Give it as SCENARIO=VERDICT, as done-reset=failed."
            )
        if name not in known:
            raise UsageProblem(
                f"--expect: {name!r} is not among the scenarios.", f"There are {', '.join(known)}."
            )
        found[name] = frozenset(_verdict(word, f"--expect {name}") for word in verdicts.split(","))
    return found


def _read_expectations(where: str, known: Sequence[str]) -> dict[str, frozenset[Survival]]:
    try:
        data = tomllib.loads(Path(where).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(f"{where!r} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    found = {}
    for name, said in data.items():
        if name not in known and name not in names(CHECK):
            raise UsageProblem(f"{where}: {name!r} is no scenario.", f"There are {', '.join(names(CHECK))}.")
        words = said if isinstance(said, list) else [said]
        found[name] = frozenset(_verdict(word, f"{where}: {name}") for word in words)
    return found


def _verdict(word: object, where: str) -> Survival:
    try:
        return Survival(str(word).strip().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise UsageProblem(f"{where}: {word!r} is no verdict.", f"There are {_VERDICTS}.") from None

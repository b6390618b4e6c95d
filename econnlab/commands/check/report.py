"""A check on a terminal: the matrix of scenarios, and what was not as expected."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from econnlab.cli.columns import Column, Grid
from econnlab.commands.check.result import Check, Checked
from econnlab.commands.check.survival import Survival
from econnlab.plaintext import harmless, harmless_lines

#: How many of the last lines of a command's output are shown.
_LINES = 8
_WIDEST_LINE = 200
_CANNOT = "can't"
_BEST_FIRST = sorted(Survival, key=lambda each: (each is not Survival.SURVIVED, -list(Survival).index(each)))


def command_line(check: Check) -> str:
    """The command as a shell would read it, escaped."""
    return harmless(shlex.join(check.command))


def calm_sentence(check: Check) -> str:
    """What the command does without trouble."""
    kinds = ", ".join(f"{tally.total} {harmless(kind)}" for kind, tally in check.calm.tallies.items())
    return f"without trouble it makes {kinds} in {check.calm.took_s:.2f} s"


def headline(check: Check) -> Text:
    """The command, and what it does without trouble."""
    return Text.assemble((command_line(check), "bold"), f": {calm_sentence(check)}")


def matrix(check: Check) -> RenderableType:
    """A row per scenario."""
    checked = check.checked
    requests = check.calm.requests
    columns = [
        Column("scenario", [harmless(each.scenario.name) for each in checked], right=False),
        Column("verdict", [verdict_word(each) for each in checked], right=False),
        Column("", [mark(each) for each in checked], right=False),
        Column(
            "carried out",
            ["" if each.end is None else f"{each.carried_out} of {requests}" for each in checked],
            3,
        ),
        Column("ended", [ended_word(each) for each in checked], 2, right=False),
        Column("s", ["" if each.end is None else f"{each.end.took_s:.1f}" for each in checked], 1),
        Column("what happens", [harmless(each.scenario.title) for each in checked], 0, right=False),
    ]
    return Grid(columns) if checked else Text("No scenario ran to its end.")


def verdict_word(checked: Checked) -> str:
    """The verdict, or the word for none."""
    return _CANNOT if checked.verdict is None else checked.verdict.survival.word


def mark(checked: Checked) -> str:
    """Whether the verdict is right, in words: colour alone would not do."""
    if checked.verdict is None:
        return "?"
    return "as expected" if checked.as_expected else "BROKEN"


def ended_word(checked: Checked) -> str:
    """How the command ended, in a word or two."""
    end = checked.end
    if end is None:
        return ""
    return "killed" if end.timed_out else end.signal or f"exit {end.code}"


def expected_words(checked: Checked) -> str:
    """``survived or not met``."""
    return " or ".join(each.word for each in _BEST_FIRST if each in checked.expected)


def told(checked: Checked) -> str:
    """Why one is not as expected, in a sentence."""
    if checked.verdict is None:
        return str(checked.error)
    judgement = checked.verdict
    remarks = "".join(f"; {remark}" for remark in judgement.remarks)
    text = f"{judgement.survival.word}, expected {expected_words(checked)}: {judgement.reason}{remarks}"
    return harmless(text)


def last_lines(checked: Checked) -> list[str]:
    """The end of the command's output, escaped."""
    if checked.end is None:
        return []
    lines = [line for line in checked.end.output.splitlines() if line.strip()][-_LINES:]
    return [harmless(line if len(line) <= _WIDEST_LINE else line[:_WIDEST_LINE] + "...") for line in lines]


def details(check: Check) -> Iterator[Text]:
    """The unexpected ones with the command's output, and remarks on the others."""
    for checked in check.checked:
        name = harmless(checked.scenario.name)
        if not checked.as_expected:
            yield Text.assemble((f"\n{name}", "bold"), f": {harmless_lines(told(checked))}")
            yield Text(f"  {harmless(checked.scenario.title)}")
            for line in last_lines(checked):
                yield Text(f"  | {line}", "dim")
        elif checked.verdict is not None:
            for remark in checked.verdict.remarks:
                yield Text(f"note: {name}: {harmless(remark)}", "dim")


def conclusion(check: Check) -> Text:
    """The sum of all verdicts."""
    return Text(f"\n{conclusion_sentence(check)}", "bold")


def conclusion_sentence(check: Check) -> str:
    """``15 of 18 as expected, 3 not``."""
    right = sum(each.as_expected for each in check.checked)
    parts = [f"{right} of {check.asked} as expected"]
    unmet = sum(
        each.verdict is not None and each.verdict.survival is Survival.NOT_MET for each in check.checked
    )
    if unmet:
        parts[0] += f" ({unmet} not met)"
    if check.broken:
        parts.append(f"{len(check.broken)} not")
    if check.failed:
        parts.append(f"{len(check.failed)} could not run here")
    if check.interrupted:
        parts.append(f"{check.asked - len(check.checked)} not run to an end")
    return ", ".join(parts)

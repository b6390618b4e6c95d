"""A check as Markdown, for a job's summary (GITHUB_STEP_SUMMARY) or a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import markdown_escaped, markdown_row

if TYPE_CHECKING:
    from econnlab.commands.check.result import Check, Checked

HELP = "the matrix as Markdown, for a job's summary"
_SIGNS = {True: "✅", False: "❌", None: "❔"}


def render(check: Check) -> str:
    """A heading, the matrix, and what the command said where the verdict was not expected."""
    from econnlab.commands.check.report import calm_sentence, command_line, conclusion_sentence

    requests = check.calm.requests
    lines = [
        f"### econnlab check: {conclusion_sentence(check)}",
        "",
        _code(command_line(check)) + ": " + markdown_escaped(calm_sentence(check)),
        "",
        "| | scenario | verdict | carried out | what happens | why |",
        "|---|---|---|---|---|---|",
        *(_row(each, requests) for each in check.checked),
    ]
    for checked in check.broken:
        lines += _said(checked)
    return "\n".join([*lines, ""])


def _row(checked: Checked, requests: int) -> str:
    from econnlab.commands.check.report import expected_words, verdict_word

    judgement = checked.verdict
    right = None if judgement is None else checked.as_expected
    verdict = f"**{verdict_word(checked)}**"
    if right is False:
        verdict += f", expected {expected_words(checked)}"
    why = str(checked.error) if judgement is None else "; ".join((judgement.reason, *judgement.remarks))
    cells = (
        _SIGNS[right],
        markdown_escaped(checked.scenario.name),
        verdict,
        "" if checked.end is None else f"{checked.carried_out} of {requests}",
        markdown_escaped(checked.scenario.title),
        markdown_escaped(why),
    )
    return markdown_row(cells)


def _said(checked: Checked) -> list[str]:
    from econnlab.commands.check.report import last_lines

    lines = last_lines(checked)
    if not lines:
        return []
    summary = f"<details><summary>{markdown_escaped(checked.scenario.name)}: what the command said</summary>"
    # A block by indentation: no text can end it, as a fence could be ended.
    return ["", summary, "", *(f"    {line}" for line in lines), "", "</details>"]


def _code(text: str) -> str:
    """``text`` in a span of code whose fence is longer than any run of backticks in it."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}"

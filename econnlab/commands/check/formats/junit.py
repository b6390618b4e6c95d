"""A check as JUnit XML: one test case per scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.cli.junit import TestCase
    from econnlab.commands.check.result import Check, Checked

HELP = "a test case per scenario as JUnit XML"


def render(check: Check) -> str:
    """The document. An expected ``not met`` counts as skipped, because it tested nothing."""
    from econnlab.cli.junit import junit_text
    from econnlab.commands.check.report import calm_sentence, command_line

    properties = {"command": command_line(check), "calm": calm_sentence(check)}
    return junit_text("econnlab check", [_case(each) for each in check.checked], properties)


def _case(checked: Checked) -> TestCase:
    from econnlab.cli.junit import TestCase
    from econnlab.commands.check.report import last_lines, told
    from econnlab.commands.check.survival import Survival

    name, took_s = checked.scenario.name, 0.0 if checked.end is None else checked.end.took_s
    output = "\n".join(last_lines(checked))
    found = checked.verdict
    if found is None:
        return TestCase(name, took_s, "error", str(checked.error), "cannot", output=output)
    if not checked.as_expected:
        verdict = found.survival.value
        return TestCase(
            name, took_s, "failure", told(checked), verdict, checked.scenario.title, output=output
        )
    if found.survival is Survival.NOT_MET:
        return TestCase(name, took_s, "skipped", found.reason, output=output)
    return TestCase(name, took_s, output=output)

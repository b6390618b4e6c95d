"""A check as JUnit's XML, which CI systems show as tests: one test case a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from econnlab.commands.check.result import Check, Checked

HELP = "a test case per scenario as JUnit XML"
_SUITE = "econnlab check"


def render(check: Check) -> str:
    """The document. An expected ``not met`` counts as skipped, because it tested nothing."""
    from xml.etree import ElementTree

    from econnlab.commands.check.report import calm_sentence, command_line

    cases = [_case(each) for each in check.checked]
    counts = {
        "tests": len(cases),
        "failures": len(check.broken),
        "errors": len(check.failed),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    took_s = sum(each.end.took_s for each in check.checked if each.end is not None)
    figures = {**{name: str(count) for name, count in counts.items()}, "time": f"{took_s:.3f}"}
    suites = ElementTree.Element("testsuites", {"name": _SUITE, **figures})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": _SUITE, **figures})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("command", command_line(check)), ("calm", calm_sentence(check))):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    suite.extend(cases)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _case(checked: Checked) -> Element:
    from xml.etree import ElementTree

    from econnlab.commands.check.report import last_lines, told
    from econnlab.commands.check.survival import Survival
    from econnlab.plaintext import harmless, harmless_lines

    took_s = 0.0 if checked.end is None else checked.end.took_s
    case = ElementTree.Element(
        "testcase", classname="econnlab.check", name=harmless(checked.scenario.name), time=f"{took_s:.3f}"
    )
    judgement = checked.verdict
    if judgement is None:
        ElementTree.SubElement(case, "error", message=harmless(str(checked.error)), type="cannot")
    elif not checked.as_expected:
        failure = ElementTree.SubElement(
            case, "failure", message=told(checked), type=judgement.survival.value
        )
        failure.text = harmless(checked.scenario.title)
    elif judgement.survival is Survival.NOT_MET:
        ElementTree.SubElement(case, "skipped", message=harmless(judgement.reason))
    if lines := last_lines(checked):
        ElementTree.SubElement(case, "system-out").text = harmless_lines("\n".join(lines))
    return case

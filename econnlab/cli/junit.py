"""JUnit XML, which CI systems show as tests: one writer for every command that judges several things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from econnlab.plaintext import harmless, harmless_lines


@dataclass(frozen=True)
class TestCase:
    """One thing that was judged."""

    name: str
    took_s: float
    #: ``failure``, ``error`` or ``skipped``; empty if it passed.
    result: str = ""
    message: str = ""
    #: The kind of failure or error.
    type: str = ""
    #: More on the failure, and what was printed.
    text: str = ""
    output: str = ""


def junit_text(suite: str, cases: Sequence[TestCase], properties: Mapping[str, str]) -> str:
    """The document of one ``suite``."""
    found = Counter(case.result for case in cases)
    counts = {
        "tests": len(cases),
        "failures": found["failure"],
        "errors": found["error"],
        "skipped": found["skipped"],
        "time": f"{sum(case.took_s for case in cases):.3f}",
    }
    attributes = {"name": suite, **{name: str(count) for name, count in counts.items()}}
    root = ElementTree.Element("testsuites", attributes)
    inner = ElementTree.SubElement(root, "testsuite", attributes)
    listed = ElementTree.SubElement(inner, "properties")
    for name, value in properties.items():
        ElementTree.SubElement(listed, "property", name=name, value=value)
    inner.extend(_element(suite.replace(" ", "."), case) for case in cases)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _element(classname: str, case: TestCase) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=classname, name=harmless(case.name), time=f"{case.took_s:.3f}"
    )
    if case.result:
        said = {"message": harmless(case.message), **({"type": case.type} if case.type else {})}
        ElementTree.SubElement(element, case.result, said).text = harmless(case.text) or None
    if case.output:
        ElementTree.SubElement(element, "system-out").text = harmless_lines(case.output)
    return element

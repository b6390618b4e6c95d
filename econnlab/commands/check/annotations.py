"""Workflow commands of GitHub Actions: an annotation on the job's page for each unexpected verdict.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from econnlab.commands.check.report import told
from econnlab.commands.check.result import Checked
from econnlab.plaintext import harmless_lines


def annotation(checked: Checked) -> str:
    """``::error`` for one scenario, in one line."""
    title = f"econnlab check: {checked.scenario.name}"
    return f"::error title={_property(title)}::{_data(told(checked))}"


def _data(text: str) -> str:
    """Escaped as by the runner's toolkit (actions/toolkit, packages/core/src/command.ts)."""
    return harmless_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def disarmed(text: str) -> str:
    """``text`` without commands to the runner: no line begins with ``::``, and none contains ``##[``."""
    lines = [f"| {line}" if line.lstrip().startswith("::") else line for line in text.split("\n")]
    return "\n".join(lines).replace("##[", "## [")

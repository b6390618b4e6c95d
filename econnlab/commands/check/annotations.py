"""Workflow commands of GitHub Actions: a line on the job's page for what was not as expected.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from econnlab.commands.check.report import told
from econnlab.commands.check.result import Checked
from econnlab.plaintext import harmless_lines


def annotation(checked: Checked) -> str:
    """``::error`` for one scenario, all in one line."""
    title = f"econnlab check: {checked.scenario.name}"
    return f"::error title={_property(title)}::{_data(told(checked))}"


def _data(text: str) -> str:
    """As the runner's toolkit escapes it (actions/toolkit, packages/core/src/command.ts)."""
    return harmless_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def disarmed(text: str) -> str:
    """``text`` of which no line is a command to the runner: ``::`` at its beginning, or ``##[``."""
    lines = [f"| {line}" if line.lstrip().startswith("::") else line for line in text.split("\n")]
    return "\n".join(lines).replace("##[", "## [")

"""The verdicts of a check as the file that ``--expectations`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.commands.check.result import Check

HELP = "these verdicts as a file for --expectations, and let them pass"


def render(check: Check) -> str:
    """A line per scenario, in the order of the check."""
    import json

    lines = (
        f"{json.dumps(each.scenario.name)} = [{json.dumps(each.verdict.survival.spelled)}]"
        for each in check.checked
        if each.verdict is not None
    )
    return "\n".join(lines) + "\n"

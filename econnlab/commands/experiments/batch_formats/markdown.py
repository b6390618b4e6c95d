"""A batch of scenarios as Markdown, for a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import markdown_escaped, markdown_row

if TYPE_CHECKING:
    from econnlab.commands.experiments.outcomes import Batch, ScenarioResult

HELP = "a row per scenario as Markdown, for a job's summary"
_SIGNS = {"holds": "✅", "ran": "✅", "broken": "❌", "stopped": "❔", "unable": "❔"}


def render(batch: Batch) -> str:
    """A heading and a table."""
    lines = [
        f"### econnlab run: {batch.conclusion}",
        "",
        markdown_row(("", "scenario", "result", "figures", "what happens", "why")),
        markdown_row(["---"] * 6),
        *map(_row, batch.results),
    ]
    return "\n".join([*lines, ""])


def _row(result: ScenarioResult) -> str:
    why = (*result.missed, result.held_up, result.why)
    return markdown_row(
        (
            _SIGNS[result.status],
            markdown_escaped(result.scenario.name),
            f"**{result.status}**",
            markdown_escaped(result.figures),
            markdown_escaped(result.scenario.title),
            markdown_escaped("; ".join(filter(None, why))),
        )
    )

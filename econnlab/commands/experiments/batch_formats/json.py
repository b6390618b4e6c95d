"""A batch of scenarios as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.commands.experiments.outcomes import Batch, ScenarioResult

HELP = "every scenario with its figures and broken expectations as JSON"

#: Raised when a key changes its meaning or goes; commands/experiments/batch.schema.json describes this one.
VERSION = 1


def render(batch: Batch) -> str:
    """The document; keys as in commands/experiments/batch.schema.json."""
    from econnlab.commands.experiments.outcomes import Status

    counts = {status.value: batch.count(status) for status in Status}
    document = {
        "asked": batch.asked,
        "interrupted": batch.interrupted,
        **counts,
        "scenarios": [_scenario(each) for each in batch.results],
    }
    return json_text(VERSION, document)


def _scenario(result: ScenarioResult) -> dict[str, Any]:
    from econnlab.commands.experiments.report.table import figures, labels

    summary = result.summary
    rows = [] if summary is None else summary.rows
    return {
        "scenario": result.scenario.name,
        "title": result.scenario.title,
        "status": result.status.value,
        "missed": list(result.missed),
        "held_up": result.held_up or None,
        "error": result.why or None,
        "took_s": round(result.took_s, 3),
        "seed": result.scenario.seed,
        "rows": [{**labels(result.scenario, row), **figures(row)} for row in rows],
    }

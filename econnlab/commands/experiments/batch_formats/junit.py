"""A batch of scenarios as JUnit XML: one test case per scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.cli.junit import TestCase
    from econnlab.commands.experiments.outcomes import Batch, ScenarioResult

HELP = "a test case per scenario as JUnit XML"


def render(batch: Batch) -> str:
    """The document; a scenario that was stopped counts as skipped."""
    from econnlab.cli.junit import junit_text

    return junit_text(
        "econnlab run", [_case(each) for each in batch.results], {"conclusion": batch.conclusion}
    )


def _case(result: ScenarioResult) -> TestCase:
    from econnlab.cli.junit import TestCase
    from econnlab.commands.experiments.outcomes import Status

    name, took_s, status = result.scenario.name, result.took_s, result.status
    if status is Status.UNABLE:
        return TestCase(name, took_s, "error", result.why, status.value)
    if status is Status.BROKEN:
        said = "; ".join((*result.missed, *([result.held_up] if result.held_up else [])))
        return TestCase(name, took_s, "failure", said, status.value, result.scenario.title, result.figures)
    if status is Status.STOPPED:
        return TestCase(name, took_s, "skipped", "interrupted", output=result.figures)
    return TestCase(name, took_s, output=result.figures)

"""Everything the table shows, and every failed attempt with its evidence, as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.attribution.explanations import Failure
    from econnlab.attribution.summary import LateAttempt, Summary

HELP = "the table and every failure with its evidence as JSON"

#: Raised when a key changes its meaning or is removed; commands/experiments/schema.json describes this one.
VERSION = 1
#: The document counts time from the beginning of the run; the record ties it to other clocks.
_CLOCKS = ("began", "epoch")


def render(summary: Summary) -> str:
    """The document; keys as in commands/experiments/schema.json, times in ms from the start of the run."""
    import dataclasses

    from econnlab.attribution.notes import conclusion, remarks, warnings
    from econnlab.commands.experiments.report.table import figures, labels, without_new_zeros
    from econnlab.scenario.codec import encode

    run = summary.run
    document = {
        "command": run.scenario.name,
        "scenario": encode(run.scenario),
        "facts": {
            key: value
            for key, value in dataclasses.asdict(run.facts).items()
            if key not in _CLOCKS and value is not None
        },
        "interrupted": run.interrupted,
        "rows": [{**labels(run.scenario, row), **without_new_zeros(figures(row))} for row in summary.rows],
        "lateness": None if summary.lateness is None else dataclasses.asdict(summary.lateness.rounded()),
        "failures": [_failure(summary, failure) for failure in summary.failures],
        "lab_late": [_late(each) for each in summary.late],
        "warnings": warnings(summary),
        "remarks": remarks(summary),
        "counters": run.counters,
        "conclusion": conclusion(summary),
    }
    return json_text(VERSION, document)


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Without clocks, and without what was not there."""
    return {key: value for key, value in facts.items() if key not in _CLOCKS and value is not None}


def _failure(summary: Summary, failure: Failure) -> dict[str, Any]:
    import dataclasses

    attempt, verdict, ending = failure.attempt, failure.verdict, failure.ending
    began = summary.run.facts.began

    def since(at: float | None) -> float | None:
        return None if at is None else round((at - began) * 1000, 3)

    return {
        "session": attempt.session,
        "request": attempt.request,
        "attempt": attempt.number,
        "method": attempt.method,
        "row": attempt.row,
        "outcome": attempt.outcome.value,
        "errno": attempt.errno,
        "send_errno": attempt.send_errno,
        "error": attempt.error,
        **({} if attempt.named is None else {"named": attempt.named}),
        "status": attempt.status,
        "reused": attempt.reused,
        "idle_ms": None if attempt.idle_s is None else round(attempt.idle_s * 1000, 3),
        "planned_ms": since(attempt.planned),
        "sent_ms": since(attempt.sent),
        "ended_ms": since(attempt.ended),
        "cause": verdict.cause,
        "certainty": verdict.certainty.value,
        "evidence": verdict.evidence,
        "ending": None if ending is None else {**dataclasses.asdict(ending), "at": since(ending.at)},
        "processed": failure.processed,
        "late_ms": failure.late.ms(),
    }


def _late(each: LateAttempt) -> dict[str, Any]:
    attempt = each.attempt
    return {
        "row": attempt.row,
        "session": attempt.session,
        "request": attempt.request,
        "attempt": attempt.number,
        "outcome": attempt.outcome.value,
        "late_ms": each.late.ms(),
    }

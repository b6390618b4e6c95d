"""A check as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.commands.check.result import Check, Checked

HELP = "every verdict with its reasons as JSON"

#: Raised when a key changes its meaning or goes; commands/check/schema.json describes this one.
VERSION = 1


def render(check: Check) -> str:
    """The document; keys as in commands/check/schema.json, times in s."""

    document = {
        "command": list(check.command),
        "interrupted": check.interrupted,
        "asked": check.asked,
        "as_expected": sum(each.as_expected for each in check.checked),
        "calm": {
            "took_s": round(check.calm.took_s, 3),
            "requests": {kind: tally.total for kind, tally in check.calm.tallies.items()},
        },
        "scenarios": [_scenario(each) for each in check.checked],
    }
    return json_text(VERSION, document)


def _scenario(checked: Checked) -> dict[str, Any]:
    judgement, end = checked.verdict, checked.end
    return {
        "scenario": checked.scenario.name,
        "title": checked.scenario.title,
        "verdict": None if judgement is None else judgement.survival.value,
        "expected": sorted(each.value for each in checked.expected),
        "as_expected": checked.as_expected,
        "reason": None if judgement is None else judgement.reason,
        "remarks": [] if judgement is None else list(judgement.remarks),
        "requests": []
        if judgement is None
        else [
            {
                "kind": row.kind,
                "calm": row.calm,
                "carried_out": row.carried_out,
                "arrived": row.arrived,
                "more": row.more,
                "less": row.less,
                "unanswered": row.unanswered,
            }
            for row in judgement.rows
        ],
        "exit_code": None if end is None else end.code,
        "signal": None if end is None else end.signal,
        "timed_out": end is not None and end.timed_out,
        "took_s": None if end is None else round(end.took_s, 3),
        "output": "" if end is None else end.output,
        "output_bytes": 0 if end is None else end.output_bytes,
        "left_behind": 0 if end is None else end.left_behind,
        "error": None if checked.error is None else str(checked.error),
    }

"""A comparison as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.commands.remedies.comparison import Comparison
    from econnlab.commands.remedies.judging import Result

HELP = "every remedy with its figures and its verdict as JSON"

#: Raised when a key changes its meaning or goes; commands/remedies/schema.json describes this one.
VERSION = 1


def render(comparison: Comparison) -> str:
    """The document; keys as in commands/remedies/schema.json, durations in ms."""

    from econnlab.scenario.codec import encode

    best = comparison.best
    document = {
        "scenario": encode(comparison.run.scenario),
        "kernel": comparison.run.facts.kernel,
        "versions": comparison.run.facts.versions,
        "interrupted": comparison.run.interrupted,
        "method": comparison.run.scenario.client.method,
        "best": None if best is None else best.remedy.name,
        "baseline": row_of(comparison.baseline),
        "remedies": [row_of(result) for result in comparison.results],
        "unable": [{"remedy": each.remedy.name, "reason": each.reason} for each in comparison.unable],
        "inapplicable": list(comparison.inapplicable),
    }
    return json_text(VERSION, document)


def row_of(result: Result) -> dict[str, Any]:
    """One remedy, keys as in the schema; None is what is not known of a server of the user's."""
    figures = result.figures
    low, high = figures.interval95
    return {
        "remedy": result.remedy.name,
        "requests": figures.requests,
        "failure": figures.failures,
        "answered": figures.answered,
        "failure_rate": round(figures.rate, 6),
        "ci_low": round(low, 6),
        "ci_high": round(high, 6),
        "lost": figures.lost,
        "once": figures.once,
        "more": figures.more,
        "extra": figures.extra,
        "attempts": figures.attempts,
        "connections": figures.connections,
        "served": figures.served,
        "median_ms": _rounded(figures.median_ms),
        "p99_ms": _rounded(figures.p99_ms),
        "added_median_ms": _rounded(result.added_median_ms),
        "added_p99_ms": _rounded(result.added_p99_ms),
        "effect": result.effect.value,
        "unsafe": result.unsafe,
        "recommended": result.recommended,
        "verdict": result.words,
        "price": result.remedy.price,
    }


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)

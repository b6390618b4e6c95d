"""The columns that tables and files share."""

from __future__ import annotations

from collections.abc import Mapping

from econnlab.discovery import parts
from econnlab.explain.summary import Row
from econnlab.explain.verdict import UNKNOWN
from econnlab.record.attempts import FAILURES, Outcome
from econnlab.scenario.durations import format_ms
from econnlab.scenario.model import Scenario


def labels(scenario: Scenario, row: Row) -> dict[str, str]:
    """What tells ``row`` from others: its interval, or how many asked a server of which limit."""
    if not scenario.plan.together:
        return {"interval_ms": format_ms(scenario.plan.intervals_ms[row.index])}
    server = scenario.server
    return {
        "clients": str(scenario.plan.sessions),
        "max_connections": str(server.max_connections or "") if server is not None else "",
        "when_full": server.when_full if server is not None else "",
    }


def cause_names() -> list[str]:
    """Every cause the lab can name, and ``unknown``, in a fixed order."""
    return [*parts("econnlab.explain.causes"), UNKNOWN]


def figures(row: Row) -> dict[str, int | float]:
    """The figures of ``row`` by column name: the same columns in the same order for every run."""
    low, high = row.interval95
    return {
        "requests": row.requests,
        "success": row.success,
        "failure": row.failure,
        "failure_rate": round(row.failure_rate, 6),
        "ci_low": round(low, 6),
        "ci_high": round(high, 6),
        **{outcome.value: row.outcomes[outcome] for outcome in FAILURES},
        **{cause: row.causes[cause] for cause in cause_names()},
        "attempts": row.attempts,
        "rescued": row.rescued,
    }


def counts(counter: Mapping[Outcome, int]) -> str:
    """``closed 28, reset 2``, the most frequent first."""
    ordered = sorted(counter.items(), key=lambda item: -item[1])
    return ", ".join(f"{name.value} {count}" for name, count in ordered if count)

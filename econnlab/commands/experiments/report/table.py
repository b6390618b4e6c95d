"""The columns that tables and files share."""

from __future__ import annotations

from collections.abc import Mapping

from econnlab.attribution.columns import FIRST, cause_columns
from econnlab.attribution.lateness import LAB_LATE
from econnlab.attribution.summary import Row
from econnlab.attribution.verdict import UNKNOWN
from econnlab.record.attempts import FAILURES, Outcome
from econnlab.scenario.model import Scenario

#: Requests that the server carried out never, once, more than once.
PROCESSED = ("lost", "once", "more")


def labels(scenario: Scenario, row: Row) -> dict[str, int | float | str | None]:
    """The columns that identify ``row``: its interval, or the number of clients and the server's limit.

    None: unknown for a server of the user.
    """
    if not scenario.plan.together:
        interval = scenario.plan.intervals_ms[row.index]
        return {"interval_ms": int(interval) if interval == int(interval) else float(interval)}
    server = scenario.server
    return {
        "clients": scenario.plan.sessions,
        "max_connections": server.max_connections if server is not None else None,
        "when_full": server.when_full if server is not None and server.max_connections is not None else None,
    }


def figures(row: Row) -> dict[str, int | float | None]:
    """The figures of ``row`` by column name: the same columns in the same order for every run.

    New columns come last. None: unknown for a server of the user.
    """
    low, high = row.interval95
    done = row.processed
    causes = {cause: row.causes[cause] for cause in cause_columns()}
    return {
        "requests": row.requests,
        "success": row.success,
        "failure": row.failure,
        "failure_rate": round(row.failure_rate, 6),
        "ci_low": round(low, 6),
        "ci_high": round(high, 6),
        **{outcome.value: row.outcomes[outcome] for outcome in FAILURES},
        **dict(list(causes.items())[:FIRST]),
        UNKNOWN: row.causes[UNKNOWN],
        "attempts": row.attempts,
        "rescued": row.rescued,
        **{name: None if done is None else getattr(done, name) for name in PROCESSED},
        LAB_LATE: row.lab_late,
        **dict(list(causes.items())[FIRST:]),
    }


def without_new_zeros(values: dict[str, int | float | None]) -> dict[str, int | float | None]:
    """``values`` without what was added after the first version and did not happen: for named values."""
    new = {LAB_LATE, *cause_columns()[FIRST:]}
    return {name: value for name, value in values.items() if name not in new or value}


def counts(counter: Mapping[Outcome, int]) -> str:
    """``closed 28, reset 2``, the most frequent first."""
    ordered = sorted(counter.items(), key=lambda item: -item[1])
    return ", ".join(f"{name.value} {count}" for name, count in ordered if count)

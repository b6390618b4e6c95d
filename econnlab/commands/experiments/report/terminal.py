"""A run on a terminal: a line per request as it ends, then the table and remarks."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.text import Text

from econnlab.attribution.explanations import Failure
from econnlab.attribution.notes import conclusion, remarks
from econnlab.attribution.summary import Row, Summary
from econnlab.attribution.verdict import UNKNOWN, Certainty, Verdict, carried_out
from econnlab.cli.bar import BAR_WIDTH, bar
from econnlab.cli.columns import Column, Grid
from econnlab.commands.experiments.report.table import PROCESSED, counts, labels
from econnlab.discovery import parts
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.scenario.client import NO_RETRY
from econnlab.scenario.model import Scenario

#: The columns that identify a row: heading and importance (see columns.Column).
_LABELS = {
    "interval_ms": ("interval", None),
    "clients": ("clients", None),
    "max_connections": ("allowed", 3),
    "when_full": ("when full", 3),
}


# -- while it runs --------------------------------------------------------------------------------


def request_line(scenario: Scenario, request: Request, failures: list[Failure]) -> Text:
    """One request as it ended: ``Success 1 ...``, ``Error 3: ECONNRESET ...``."""
    last = request.last
    if request.ok:
        after = f"  after {_tries(failures)}" if failures else ""
        return Text.assemble(
            ("Success ", "green"),
            f"{_number(scenario, last)}  {last.status} in {_took_ms(last)}, {_connection(last)}{after}",
        )
    return failed_line(scenario, failures[-1], len(failures))


def failed_line(scenario: Scenario, failure: Failure, attempts: int = 1) -> Text:
    """One failed attempt, the last of ``attempts``, with its cause."""
    attempt, verdict = failure.attempt, failure.verdict
    tries = f" ({attempts} attempts)" if attempts > 1 else ""
    return Text.assemble(
        ("Error   ", "red"),
        f"{_number(scenario, attempt)}: {error_name(attempt)}{tries}{_passed_over(attempt)}  ",
        f"{attempt.outcome.value}, {_connection(attempt)}, ",
        (verdict.cause, "yellow"),
        f"{_reserve(verdict)}: {verdict.evidence}{carried_out(failure.processed)}",
    )


def _number(scenario: Scenario, attempt: Attempt) -> str:
    if scenario.plan.together:
        return f"{attempt.session}"
    of_session = f" of session {attempt.session}" if scenario.plan.total_sessions > 1 else ""
    return f"{attempt.request}{of_session}"


def _reserve(verdict: Verdict) -> str:
    return " (likely)" if verdict.certainty is Certainty.LIKELY and verdict.cause != UNKNOWN else ""


def _passed_over(attempt: Attempt) -> str:
    if attempt.send_errno in (None, attempt.errno):
        return ""
    return f" (its send met {attempt.send_errno})"


def _tries(failures: list[Failure]) -> str:
    return ", ".join(f"{error_name(failure.attempt)} ({failure.verdict.cause})" for failure in failures)


def _connection(attempt: Attempt) -> str:
    if not attempt.reused:
        return "new"
    return f"reused after {attempt.idle_s * 1000:.1f} ms" if attempt.idle_s is not None else "reused"


def _took_ms(attempt: Attempt) -> str:
    return f"{(attempt.ended - (attempt.sent or attempt.began)) * 1000:.1f} ms"


def error_name(attempt: Attempt) -> str:
    """The name that a user sees: the errno, the status, or the innermost exception."""
    if attempt.outcome is Outcome.HTTP_ERROR:
        return f"HTTP {attempt.status}"
    if attempt.named is not None:
        return attempt.named
    return attempt.errno or attempt.error.rpartition(" < ")[2] or attempt.outcome.value


# -- after the run --------------------------------------------------------------------------------


def report(summary: Summary, console: Console) -> RenderableType:
    """The table, remarks, and one sentence on the result."""
    ended = conclusion(summary)
    lines = [*_cause_lines(summary), *_foot(summary), *([Text(ended, "bold")] if ended else [])]
    return Group(table(summary, console), *lines)


def table(summary: Summary, console: Console) -> Grid:
    """A row per interval."""
    return Grid(_columns(summary, ascii_only=console.options.ascii_only))


def _columns(summary: Summary, *, ascii_only: bool) -> list[Column]:
    rows, scenario = summary.rows, summary.run.scenario
    named = [labels(scenario, row) for row in rows]
    columns = [
        Column(heading, ["" if each[name] is None else str(each[name]) for each in named], importance)
        for name, (heading, importance) in _LABELS.items()
        if name in named[0] and any(each[name] is not None for each in named)
    ]
    columns += [
        Column("success", [str(row.success) for row in rows]),
        Column("failure", [str(row.failure) for row in rows]),
        Column("rate", [f"{row.failure_rate:.1%}" if row.requests else "" for row in rows], 8),
        Column("95 % interval", [_interval(row) for row in rows], 5),
    ]
    if len(rows) > 1:
        bars = [bar(row.failure_rate, ascii_only=ascii_only).ljust(BAR_WIDTH) for row in rows]
        columns.append(Column("", bars, 1, right=False))
    if scenario.client.policy != NO_RETRY:
        columns.append(Column("rescued", [str(row.rescued) for row in rows], 6))
    if summary.processed is not None:
        for name, heading in zip(PROCESSED, ("0x", "1x", "2x+"), strict=True):
            done = [row.processed for row in rows]
            cells = ["" if each is None else str(getattr(each, name)) for each in done]
            columns.append(Column(heading, cells, 2))
    if summary.late:
        columns.append(Column("lab late", [str(row.lab_late) for row in rows], 6))
    main = [row.causes.most_common(1) for row in rows]
    return [
        *columns,
        Column("outcomes", [counts(row.outcomes) for row in rows], 4, right=False, folds_to=14),
        Column("main cause", [each[0][0] if each else "" for each in main], 7, right=False),
    ]


def _interval(row: Row) -> str:
    low, high = row.interval95
    return f"{low:.1%} - {high:.1%}" if row.requests else ""


def _cause_lines(summary: Summary) -> list[Text]:
    """Each cause with its meaning and the evidence of one failure, from the row with most failures."""
    rules = parts("econnlab.attribution.causes")
    examples: dict[str, Failure] = {}
    for failure in sorted(summary.failures, key=lambda each: -summary.rows[each.attempt.row].failure):
        examples.setdefault(failure.verdict.cause, failure)
    lines = []
    for cause, failure in examples.items():
        meaning = f": {rules[cause].HELP}" if cause in rules else ""
        lines.append(
            Text.assemble(
                (cause, "yellow"), f"{_reserve(failure.verdict)}{meaning}\n  e.g. {failure.verdict.evidence}"
            )
        )
    return lines


def _foot(summary: Summary) -> list[Text]:
    lines = remarks(summary)
    if summary.lateness is not None:
        late = summary.lateness
        lines.append(
            f"{late.sends} send{'' if late.sends == 1 else 's'}, "
            f"late by {late.median_ms:.2f} ms at the median, {late.p99_ms:.2f} ms at p99"
        )
    return [Text(line, "dim") for line in lines]

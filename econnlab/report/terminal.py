"""The run on a terminal: a line per request as it happens, the table and its foot."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from econnlab.discovery import parts
from econnlab.explain.notes import conclusion, remarks
from econnlab.explain.summary import Failure, Row, Summary
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.report.table import PROCESSED, counts, labels
from econnlab.scenario.model import Scenario

BAR_WIDTH = 10
#: Below this many columns the bar gives way to the figures.
WIDE = 100
_HEADINGS = {
    "interval_ms": "interval",
    "clients": "clients",
    "max_connections": "allowed",
    "when_full": "when full",
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"


# -- while it runs --------------------------------------------------------------------------------


def request_line(scenario: Scenario, request: Request, failures: list[Failure]) -> Text:
    """One request as it ended: ``Success 1 ...``, ``Error 3: ECONNRESET ...``."""
    last = request.last
    number = f"{last.session}" if scenario.plan.together else f"{last.request}"
    if scenario.plan.total_sessions > 1 and not scenario.plan.together:
        number += f" of session {last.session}"
    if request.ok:
        after = f"  after {_tries(failures)}" if failures else ""
        return Text.assemble(
            ("Success ", "green"),
            f"{number}  {last.status} in {_took_ms(last)}, {_connection(last)}{after}",
        )
    verdict = failures[-1].verdict
    tries = f" ({len(failures)} attempts)" if len(failures) > 1 else ""
    return Text.assemble(
        ("Error   ", "red"),
        f"{number}: {error_name(last)}{tries}{_passed_over(last)}  {last.outcome.value}, ",
        f"{_connection(last)}, ",
        (verdict.cause, "yellow"),
        f": {verdict.evidence}{_carried_out(failures[-1].processed)}",
    )


def _carried_out(times: int | None) -> str:
    if times is None:
        return ""
    return f"; carried out {times} times" if times > 1 else "; carried out" if times else "; not carried out"


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
    """What the user would have read: the errno, the status, or the innermost exception's name."""
    if attempt.outcome is Outcome.HTTP_ERROR:
        return f"HTTP {attempt.status}"
    return attempt.errno or attempt.error.rpartition(" < ")[2] or attempt.outcome.value


# -- after the run --------------------------------------------------------------------------------


def report(summary: Summary, console: Console) -> RenderableType:
    """The table, its foot, and one sentence on what came out."""
    ended = conclusion(summary)
    lines = [*_cause_lines(summary), *_foot(summary), *([Text(ended, "bold")] if ended else [])]
    return Group(table(summary, console), *lines)


def table(summary: Summary, console: Console) -> Table:
    """A row per interval; on narrow terminals without the bar and how often requests were carried out."""
    scenario = summary.run.scenario
    wide = console.width >= WIDE
    barred = wide and len(summary.rows) > 1
    retried = scenario.client.retries > 0
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False)
    for name in labels(scenario, summary.rows[0]):
        drawn.add_column(_HEADINGS[name], justify="right", no_wrap=True)
    for name in ("success", "failure", "rate", "95 % interval"):
        drawn.add_column(name, justify="right", no_wrap=True)
    if barred:
        drawn.add_column("", no_wrap=True, width=BAR_WIDTH)
    if retried:
        drawn.add_column("rescued", justify="right", no_wrap=True)
    known = wide and summary.processed is not None
    for heading in ("0x", "1x", "2x+") if known else ():  # carried out so often by the server
        drawn.add_column(heading, justify="right", no_wrap=True)
    drawn.add_column("outcomes", min_width=len("broken_pipe 99"))
    drawn.add_column("main cause", no_wrap=True)
    for row in summary.rows:
        drawn.add_row(*_cells(scenario, row, console, barred=barred, retried=retried, known=known))
    return drawn


def _cells(
    scenario: Scenario, row: Row, console: Console, *, barred: bool, retried: bool, known: bool
) -> list[str]:
    low, high = row.interval95
    named = ["" if value is None else str(value) for value in labels(scenario, row).values()]
    cells = [*named, str(row.success), str(row.failure)]
    cells += [f"{row.failure_rate:.1%}", f"{low:.1%} - {high:.1%}"] if row.requests else ["", ""]
    if barred:
        cells.append(bar(row.failure_rate, ascii_only=console.options.ascii_only))
    if retried:
        cells.append(str(row.rescued))
    if known:
        done = row.processed
        cells += ["" if done is None else str(getattr(done, name)) for name in PROCESSED]
    main = row.causes.most_common(1)
    return [*cells, counts(row.outcomes), main[0][0] if main else ""]


def bar(rate: float, *, ascii_only: bool) -> str:
    """``rate``, from 0 to 1, as a bar of BAR_WIDTH; anything above 0 shows."""
    if ascii_only:
        return "#" * round(rate * BAR_WIDTH) or ("." if rate else "")
    eighths = max(round(rate * BAR_WIDTH * 8), 1 if rate else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _cause_lines(summary: Summary) -> list[Text]:
    """Each cause found, what it means, and the evidence of one failure, from the worst row it is in."""
    rules = parts("econnlab.explain.causes")
    examples: dict[str, Failure] = {}
    for failure in sorted(summary.failures, key=lambda each: -summary.rows[each.attempt.row].failure):
        examples.setdefault(failure.verdict.cause, failure)
    lines = []
    for cause, failure in examples.items():
        meaning = f": {rules[cause].HELP}" if cause in rules else ""
        lines.append(Text.assemble((cause, "yellow"), f"{meaning}\n  e.g. {failure.verdict.evidence}"))
    return lines


def _foot(summary: Summary) -> list[Text]:
    lines = remarks(summary)
    if summary.lateness is not None:
        late = summary.lateness
        lines.append(
            f"{late.sends} sends, late by {late.median_ms:.2f} ms at the median, {late.p99_ms:.2f} ms at p99"
        )
    return [Text(line, "dim") for line in lines]

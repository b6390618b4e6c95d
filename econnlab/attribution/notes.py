"""Sentences that a report adds to its figures: warnings, remarks, the conclusion."""

from econnlab.attribution.summary import Row, Summary
from econnlab.plaintext import harmless
from econnlab.record.events import Kind, Source
from econnlab.scenario.client import DEFAULT_RETRY
from econnlab.scenario.durations import format_ms

#: Longer values of a server's headers are cut off.
LONGEST_VALUE = 80


def warnings(summary: Summary) -> list[str]:
    """Reasons not to trust the figures."""
    found = (_shorter(summary), _late(summary), _blurred(summary), _never_reused(summary), _missed(summary))
    return [text for text in found if text]


def _missed(summary: Summary) -> str:
    captured = next((event for event in summary.run.events if event.kind == Kind.CAPTURED), None)
    if captured is not None and captured.errno is not None:
        return f"The capture ends early: its packets could not be written ({captured.errno})."
    if captured is None or not captured.dropped:
        return ""
    return (
        f"The capture lacks {captured.dropped} packets that came too fast, beside {captured.packets} that it "
        "has. Use fewer sessions, or a quieter machine."
    )


def _shorter(summary: Summary) -> str:
    run = summary.run
    planned = run.scenario.plan.total_requests
    return f"The run ended early: {len(run.requests)} of {planned} requests." if run.interrupted else ""


def _late(summary: Summary) -> str:
    late = sum(row.lab_late for row in summary.rows)
    if not late:
        return ""
    worst = max(summary.late, key=lambda each: each.late.total_s).late.total_s
    return (
        f"The lab itself was late on the way of {_requests(late)}, by up to {worst * 1000:.0f} ms. "
        "They count as neither success nor failure (lab_late). Use fewer sessions, or a quieter machine."
    )


def _blurred(summary: Summary) -> str:
    if not summary.blurred or summary.lateness is None or summary.smallest_step_ms is None:
        return ""
    return (
        f"One send in a hundred was {summary.lateness.p99_ms:.1f} ms late or more, over half the step of "
        f"{summary.smallest_step_ms:g} ms between intervals: neighbouring rows run into each other. "
        "Use fewer sessions, or a quieter machine."
    )


def _never_reused(summary: Summary) -> str:
    requests = summary.run.requests
    later = [request for request in requests if request.last.request > 1]
    if not later or any(attempt.reused for request in requests for attempt in request.attempts):
        return ""
    if any((attempt.connection_header or "").lower() == "close" for r in requests for attempt in r.attempts):
        return "The server closes after each response (Connection: close), so no idle connection can be lost."
    if any(request.ok for request in later):
        return "No connection was reused: every request opened a new one, so no idle connection can be lost."
    return ""


def remarks(summary: Summary) -> list[str]:
    """Other observations."""
    found = (
        _opened_anew(summary),
        _advertised(summary),
        _not_repeated(summary),
        _over_too_soon(summary),
        _cut_unnoticed(summary),
        _processed(summary),
    )
    return [text for text in found if text]


def _processed(summary: Summary) -> str:
    done = summary.processed
    untold = sum(row.untold for row in summary.rows) if summary.run.counts_processed else 0
    if done is None or not (done.lost or done.more or untold):
        return ""
    more = f", {done.more} more than once" if done.more else ""
    never = f"; {done.lost} never reached that point" if done.lost or not untold else ""
    unknown = f"; of {untold} that is unknown, because its process was killed" if untold else ""
    return f"the server carried out {_requests(done.once)} once{more}{never}{unknown}"


def _requests(number: int) -> str:
    return f"{number} request{'' if number == 1 else 's'}"


def _not_repeated(summary: Summary) -> str:
    client = summary.run.scenario.client
    alone = all(len(request.attempts) == 1 for request in summary.run.requests if not request.ok)
    if client.policy == DEFAULT_RETRY and client.method == "POST" and summary.failures and alone:
        return (
            "urllib3's Retry does not repeat a POST that may have been sent (Retry.DEFAULT_ALLOWED_METHODS)"
        )
    return ""


def _over_too_soon(summary: Summary) -> str:
    """Retries that all met a full server, while one connection that it served stayed open."""
    full = {
        (each.attempt.request_id, each.attempt.number)
        for each in summary.failures
        if each.verdict.cause == "over_capacity"
    }
    spans = []
    for request in summary.run.requests:
        tries = request.attempts
        met_full = all((each.request_id, each.number) in full for each in tries)
        if len(tries) > 1 and met_full and _kept_open(summary, tries[-1].ended):
            spans.append(tries[-1].ended - tries[0].ended)
    if not spans:
        return ""
    took = f"{max(spans) * 1000:.0f} ms"
    return (
        f"the retries of {_requests(len(spans))} were over {took} after the first failure; a "
        "client that was served kept its connection for longer, so each met a full server"
    )


def _kept_open(summary: Summary, until: float) -> bool:
    """Whether a connection that had carried a request was open until then, by the server's ledger."""
    served, closed = set(), {}
    for event in summary.run.events:
        if event.source == Source.SERVER and event.connection is not None:
            if event.kind == Kind.REQUEST and event.at <= until:
                served.add(event.connection)
            elif event.kind == Kind.CLOSED:
                closed[event.connection] = event.at
    return any(closed.get(number, until) >= until for number in served)


def _cut_unnoticed(summary: Summary) -> str:
    cut = {event.request_id for event in summary.run.events if event.kind == Kind.PARTIAL}
    unnoticed = sum(request.ok and request.last.request_id in cut for request in summary.run.requests)
    return f"responses cut off that the client took for whole: {unnoticed}" if unnoticed else ""


def _opened_anew(summary: Summary) -> str:
    """Connections that the client found closed before it reused them: the race that it did not lose."""
    ended_well: dict[int, bool] = {}
    later = anew = 0
    for request in summary.run.requests:
        first = request.attempts[0]
        if ended_well.get(first.session):
            later += 1
            anew += not first.reused and first.connection is not None
        ended_well[first.session] = request.ok
    if not anew:
        return ""
    return f"{anew} of {later} requests after a success found their connection closed and opened a new one"


def _advertised(summary: Summary) -> str:
    if summary.run.has_server_ledger:
        return ""
    values = {attempt.keep_alive for request in summary.run.requests for attempt in request.attempts}
    said = sorted(harmless(value[:LONGEST_VALUE]) for value in values if value)
    return f"the server says Keep-Alive: {' and '.join(said[:3])}" if said else ""


def conclusion(summary: Summary) -> str:
    """The run in one sentence; empty if there were no requests."""
    rows = [row for row in summary.rows if row.requests]
    if not rows:
        return ""
    if len(summary.rows) > 1:
        return _sweep_conclusion(summary, rows)
    row = rows[0]
    low, high = row.interval95
    if row.failure:
        asked = _requests(row.requests)
        sentence = f"{row.failure} of {asked} failed: a rate between {low:.1%} and {high:.1%}"
    else:
        sentence = f"None of {_requests(row.requests)} failed: the rate is at most {high:.1%}"
    rescued = f" {row.rescued} failed first and came through by a retry." if row.rescued else ""
    return f"{sentence} (95 % interval).{rescued}"


def _sweep_conclusion(summary: Summary, rows: list[Row]) -> str:
    intervals = summary.run.scenario.plan.intervals_ms
    rows = sorted(rows, key=lambda row: intervals[row.index])
    first_failing = next((row for row in rows if row.failure), None)
    total, failed = sum(row.requests for row in rows), sum(row.failure for row in rows)
    if first_failing is None:
        return f"None of {total} requests failed."
    worst = max(rows, key=lambda row: row.failure_rate)
    below = [row for row in rows if intervals[row.index] < intervals[first_failing.index]]
    clean = f"None failed below {format_ms(intervals[first_failing.index])} ms; " if below else ""
    return (
        f"{failed} of {total} requests failed. {clean}the worst interval is "
        f"{format_ms(intervals[worst.index])} ms, where {worst.failure_rate:.0%} did."
    )

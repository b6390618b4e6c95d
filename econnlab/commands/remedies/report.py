"""A comparison on a terminal: the figures of each remedy, its verdict, and the recommended one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from econnlab.cli.columns import Column, Grid
from econnlab.cli.pages import commands
from econnlab.commands.remedies.comparison import Comparison
from econnlab.commands.remedies.judging import Effect, Result
from econnlab.commands.remedies.next_steps import after_remedies
from econnlab.plaintext import harmless

_MARKS = {Effect.NONE: " ", Effect.CURED: "+", Effect.HELPED: "+", Effect.SAME: " ", Effect.WORSE: "-"}
_STYLES = {Effect.CURED: "green", Effect.HELPED: "yellow", Effect.WORSE: "red"}


def page(comparison: Comparison, screen: Console) -> RenderableType:
    """The table, the best safe remedy first, and the sentences under it."""
    rows = [comparison.baseline, *comparison.results]
    parts: list[RenderableType] = [Grid(_columns(rows))]
    parts += [
        Text(f"could not be tried: {unable.remedy.name}: {harmless(unable.reason)}", "yellow")
        for unable in comparison.unable
    ]
    if comparison.inapplicable:
        where = "here" if comparison.run.scenario.server is not None else "on the client's side"
        parts.append(Text(f"change nothing {where}: {', '.join(comparison.inapplicable)}", "dim"))
    if comparison.run.interrupted:
        parts.append(
            Text("Interrupted: some remedies were tried with fewer requests, or not at all.", "yellow")
        )
    if note := _of_handshakes(comparison):
        parts.append(Text(note, "dim"))
    parts.append(_conclusion(comparison))
    best = None if comparison.best is None else comparison.best.remedy.name
    parts += commands(after_remedies(best, comparison.run.scenario.name))
    return Group(*parts)


def _of_handshakes(comparison: Comparison) -> str:
    """A note on the handshakes that the latencies leave out, if the path has a round trip."""
    round_trip_ms = comparison.run.scenario.link.round_trip_ms
    connections = {row.figures.connections for row in (comparison.baseline, *comparison.results)}
    if not round_trip_ms or len(connections) == 1:
        return ""
    return (
        "The latencies leave out handshakes, which the link's relay answers at once: on a real path like "
        f"this, each new connection takes {round_trip_ms:g} ms more."
    )


def _columns(rows: Sequence[Result]) -> list[Column]:
    figures = [row.figures for row in rows]
    known = figures[0].lost is not None
    columns = [
        Column("", [_mark(row) for row in rows], right=False),
        Column("remedy", [row.remedy.name for row in rows], right=False),
        Column("failed", [f"{each.failures}/{each.requests}" for each in figures]),
        Column("95 % interval", [_percent(*each.interval95) for each in figures], 3),
    ]
    if known:
        columns += [
            Column("lost", [str(each.lost) for each in figures], 6),
            Column("2x+", [str(each.more) for each in figures], 9),
        ]
    return [
        *columns,
        Column("tries", [f"{each.attempts / max(1, each.requests):.2f}" for each in figures], 5),
        Column("median", [_latency(row.figures.median_ms, row.added_median_ms) for row in rows], 4),
        Column("p99", [_latency(row.figures.p99_ms, row.added_p99_ms) for row in rows], 4),
        Column("conns", [str(each.connections) for each in figures], 5),
        Column("verdict", [row.words for row in rows], 8, right=False, folds_to=24),
    ]


def _mark(row: Result) -> str:
    return "!" if row.unsafe else _MARKS[row.effect]


def _percent(low: float, high: float) -> str:
    return f"{low:.1%} - {high:.1%}"


def _latency(own_ms: float | None, added_ms: float | None) -> str:
    """What a remedy adds, in ms with a sign; the latency itself if there is nothing to compare with."""
    if added_ms is not None:
        return f"{added_ms:+.1f}"
    return "" if own_ms is None else f"{own_ms:.1f}"


def _conclusion(comparison: Comparison) -> Text:
    method = comparison.run.scenario.client.method
    legend = (
        "lost: never carried out; 2x+: carried out more than once; tries: per request; median, p99: ms that "
        "a successful request takes; with a sign, what a remedy adds, rescued requests included"
        f"{_of_few(comparison)}\n"
    )
    best = comparison.best
    if best is None:
        return Text.assemble((legend, "dim"), (_of_no_best(comparison, method), "bold"))
    unsafe = [row.remedy.name for row in comparison.results if row.unsafe]
    said = f"Take {best.remedy.name}: {best.remedy.help}. {best.words[0].upper()}{best.words[1:]}."
    price = f" Its price: {best.remedy.price}." if best.remedy.price else ""
    warning = f"\nNot for {method}: {', '.join(unsafe)}." if unsafe else ""
    shown = f"\neconnlab remedies --show {_family(best.remedy.name)} prints the lines to paste."
    return Text.assemble((legend, "dim"), (said + price, "bold"), warning, shown)


def _of_few(comparison: Comparison) -> str:
    """Of fewer than 100 values, the nearest rank of 99 % is the last one."""
    succeeded = (
        row.figures.requests - row.figures.failures for row in (comparison.baseline, *comparison.results)
    )
    return "; of fewer than 100, p99 is the slowest" if min(succeeded) < 100 else ""


def _of_no_best(comparison: Comparison, method: str) -> str:
    if not comparison.baseline.figures.failures:
        return "Nothing fails here, so there is nothing to cure."
    if not comparison.hopeful and comparison.run.interrupted:
        return "Interrupted before a remedy was seen to help."
    if not comparison.hopeful:
        return f"Nothing that is safe for {method} helps here."
    first, others = comparison.hopeful[0].remedy.name, len(comparison.hopeful) - 1
    named = f"{first} and {others} more" if others else first
    plan, times = comparison.run.scenario.plan, comparison.times_more
    # More clients at the same moment would be a different experiment.
    more = "" if times is None or plan.together else f" --sessions {plan.sessions * times} would tell."
    return f"Too few requests to recommend one: fewer failed with {named}, which may be chance.{more}"


def _family(name: str) -> str:
    """Retry policies share one page of lines."""
    return "retry" if name.startswith("retry-") else name

"""A probe on a terminal: what the server says and does, the race window, and what to set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from econnlab.cli.pages import commands
from econnlab.commands.probe.facts import LONGEST, fact_lines
from econnlab.commands.probe.judging.conclusion import Conclusion, Ends
from econnlab.commands.probe.judging.gaps import gaps_in
from econnlab.commands.probe.next_steps import after_probe
from econnlab.commands.probe.units import duration
from econnlab.commands.probe.window_table import window_parts
from econnlab.plaintext import harmless


def page(found: Conclusion, console: Console) -> RenderableType:
    """The whole answer."""
    facts = ((label, Text(text)) for label, text in fact_lines(found))
    parts: list[RenderableType] = [headline(found), Text(""), _grid(facts)]
    if found.window is not None:
        parts.append(Text("\nThe race window", "bold"))
        parts += window_parts(found.window, found.round_trip_ms, console)
    if found.limit_ms is not None:
        parts += [Text("\nWhat to set", "bold"), *_advice(found, found.limit_ms)]
    parts += [Text(f"not known: {each}", "yellow") for each in gaps_in(found)]
    parts += [Text(_foot(found), "dim"), Text(f"\n{conclusion(found)}", "bold")]
    return Group(*parts, *commands(after_probe(found.probed.url, found.limit_ms)))


def announcement(url: str, method: str, budget: int, connections: int, max_connections: int | None) -> str:
    """What the probe is about to do to the server."""
    crowd = (
        f", then up to {max_connections} to count how many it takes" if max_connections is not None else ""
    )
    return (
        f"probing {harmless(url)}: at most {budget} {method} requests, on at most {connections} connections "
        f"at a time{crowd}"
    )


def headline(found: Conclusion) -> Text:
    """Which server answered, and how."""
    probed, head = found.probed, found.probed.head
    by = f", {harmless(head.server[:LONGEST])}" if head.server else ""
    over = f" over {probed.security.version}" if probed.security is not None else ""
    return Text(
        f"{harmless(probed.url)} at {probed.address}: HTTP/{head.http_version}{over}, "
        f"{head.status} to {probed.method}{by}",
        "bold",
    )


def conclusion(found: Conclusion) -> str:
    """One sentence."""
    if found.ends is Ends.NOT_KEPT:
        return "It keeps no connection after a response, so there is no race."
    if found.ends is Ends.AT_ONCE:
        return "It closes behind each response without saying so: a client that reuses the connection loses."
    if found.ends is Ends.KEPT:
        return f"Within {found.probed.max_wait_s:g} s it closes no idle connection."
    if found.ends is Ends.UNKNOWN:
        return "The probe did not see how it ends idle connections."
    if found.limit_ms is not None:
        return f"Clients should keep idle connections for at most {duration(found.limit_ms)}."
    if found.ends is Ends.SILENT and not found.survived_ms:
        return "The probe did not find after what silence idle connections die."
    return "Its idle connections do not last long enough to be reused."


def _grid(rows: Iterable[tuple[str, Text]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label, "cyan"), text)
    return table


def _advice(found: Conclusion, limit_ms: float) -> Iterator[RenderableType]:
    yield Text(
        f"Clients should replace connections that were idle for more than {duration(limit_ms)} (the first "
        "loss less a round trip and a margin), or the server should keep them longer than any client does."
    )
    rows = []
    for each in found.settings:
        line = Text(each.line)
        if each.remark:
            line.append(f"{'  ' if each.line else ''}{each.remark}", "dim")
        rows.append((each.client, line))
    yield _grid(rows)


def _foot(found: Conclusion) -> str:
    probed, precision = found.probed, found.probed.precision
    used = f"{probed.requests} of {probed.budget} requests in {probed.took_s:.1f} s"
    if precision is None:
        return used
    return (
        f"{used}; {precision.sends} timed sends, late by {precision.median_s * 1000:.3f} ms at the median, "
        f"{precision.p99_s * 1000:.3f} ms at p99; {precision.discarded} too late, discarded and repeated"
    )

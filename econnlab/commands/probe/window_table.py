"""The race window on a terminal: a band of send times a row, and two sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from econnlab.cli.bar import BAR_WIDTH, bar
from econnlab.cli.columns import Column, Grid
from econnlab.commands.probe.judging.window import Band, Edge, RaceWindow
from econnlab.commands.probe.units import millis


def window_parts(window: RaceWindow, round_trip_ms: float, console: Console) -> Iterator[RenderableType]:
    """The table and the sentences under it."""
    yield Grid(_columns(window.bands, ascii_only=console.options.ascii_only))
    outcomes = ", ".join(f"{each.value} {times}" for each, times in window.outcomes.most_common())
    yield Text(
        f"Written blindly, 5 % are lost from {_edge(window.first)} on and 95 % from {_edge(window.last)} on, "
        f"and all later ones: {outcomes} in {window.trials} trials."
    )
    if window.visible_ms is not None:
        first_ms, width_ms = window.first.at_ms, max(0.0, window.visible_ms - window.first.at_ms)
        yield Text(
            "A client that checks before it writes (urllib3, httpx) loses only requests that cross a close: "
            f"{window.unseen} of these, between {first_ms:.2f} and {window.visible_ms:.2f} ms, "
            f"{millis(width_ms)} beside a round trip of {millis(round_trip_ms)}."
        )


def _columns(bands: tuple[Band, ...], *, ascii_only: bool) -> list[Column]:
    checking = ["" if not band.tried else str(band.unseen) for band in bands]
    return [
        Column("sent after", [f"{band.from_ms:.2f} - {band.to_ms:.2f} ms" for band in bands]),
        Column("tried", [str(band.tried) for band in bands], 4),
        Column("lost", [str(band.lost) for band in bands], 6),
        Column("rate", [f"{band.rate:.0%}" if band.tried else "" for band in bands], 7),
        Column("95 % interval", [_interval(band) for band in bands], 2),
        Column("", [_bar(band.rate, ascii_only=ascii_only) for band in bands], 8, right=False),
        Column("checking", checking, 5),
        Column("", [_bar(band.unseen_rate, ascii_only=ascii_only) for band in bands], 3, right=False),
    ]


def _bar(rate: float, *, ascii_only: bool) -> str:
    return bar(rate, ascii_only=ascii_only).ljust(BAR_WIDTH)


def _interval(band: Band) -> str:
    low, high = band.interval95
    return f"{low:.0%} - {high:.0%}" if band.tried else ""


def _edge(edge: Edge) -> str:
    return f"{edge.at_ms:.2f} ms ({edge.low_ms:.2f} - {edge.high_ms:.2f})"

"""How far a run has come, on a terminal."""

from __future__ import annotations

import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from econnlab.report.console import console

#: Progress is redrawn this often; drawing costs a millisecond, which a send may have to wait for.
TICK_S = 0.5


def progress(*, enabled: bool = True) -> Progress:
    """A bar of requests on stderr, where that is a terminal."""
    on_terminal = sys.stderr.isatty()
    return Progress(
        TextColumn("requests"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        auto_refresh=False,
        transient=True,
        disable=not (enabled and on_terminal),
    )

"""``econnlab explain TEXT`` beside ``python -c "import click"``, in turn."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench_help import PAIRS, timed
from tests.benchmarks.figures import Figure

TEXTS = {
    "a word": "socket hang up",
    "a stack trace": "Error: socket hang up\n    at Socket.socketOnEnd (node:_http_client:524:23)",
}


def measure() -> Iterator[Figure]:
    """The median of the pairs' ratios, for a word and for a text that is read first."""
    click_words = [sys.executable, "-c", "import click"]
    for what, text in TEXTS.items():
        words = [str(Path(sys.executable).parent / "econnlab"), "explain", text]
        ratios = [timed(words) / timed(click_words) for _ in range(PAIRS)]
        yield Figure(
            f"econnlab explain, {what} / python -c 'import click', median of pairs",
            statistics.median(ratios),
            at_most=2.2,
        )

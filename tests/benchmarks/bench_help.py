"""``econnlab --help`` beside ``python -c "import click"``, in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure

PAIRS = 31


def measure() -> Iterator[Figure]:
    """The median of the pairs' ratios."""
    help_words = [str(Path(sys.executable).parent / "econnlab"), "--help"]
    click_words = [sys.executable, "-c", "import click"]
    ratios = [timed(help_words) / timed(click_words) for _ in range(PAIRS)]
    yield Figure(
        "econnlab --help / python -c 'import click', median of pairs", statistics.median(ratios), at_most=1.35
    )


def timed(words: list[str]) -> float:
    """The seconds that a process takes."""
    began = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began

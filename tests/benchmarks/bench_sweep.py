"""The article's sweep: its table from 200 requests an interval, and 700 races in ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

from econnlab.attribution.statistics import wilson
from tests.benchmarks.figures import Figure, econnlab

#: Failures of 10, by the article.
ARTICLE = {4900: 0, 4950: 0, 4980: 0, 4985: 1, 4990: 1, 4995: 2, 5000: 4}


def measure() -> Iterator[Figure]:
    """Rows inside the article's intervals, and the time against what one interval needs."""
    document, took = econnlab("sweep", "--sessions", "20")
    inside = 0
    for row in document["rows"]:
        low, high = wilson(ARTICLE[row["interval_ms"]], 10)
        inside += low <= row["failure_rate"] <= high
        yield Figure(
            f"failure rate at {row['interval_ms']} ms, the article's 95 % being {low:.1%} to {high:.1%}",
            row["failure_rate"] * 100,
            " %",
        )
    yield Figure("rows of 7 inside the article's own 95 % intervals", inside, at_least=7)
    yield Figure("sweep --sessions 20: seconds / the 50 that one interval needs", took / 50, at_most=1.08)

    document, took = econnlab("sweep", "--sessions", "100", "--requests", "2")
    yield Figure("sweep --sessions 100 --requests 2: 1400 requests, 700 races", took, " s", at_most=12)
    yield Figure("  its sends late, p99", document["lateness"]["p99_ms"], " ms")

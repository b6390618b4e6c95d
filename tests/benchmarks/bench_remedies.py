"""The article's race with remedies, beside the same without: over 2,000 attempts on reused connections."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.figures import Figure, econnlab

REMEDIES = ("idle-limit", "honour-keep-alive", "retry-urllib3", "retry-axios-retry-3")
_WORDS = "remedies keepalive --interval 4995 --link article --sessions 600 --requests 6 --method GET"


def measure() -> Iterator[Figure]:
    """Failures left and requests carried out more than once, each beside the unremedied run."""
    document, _ = econnlab(*_WORDS.split(), *(f"--remedy={name}" for name in REMEDIES))
    base = document["baseline"]
    yield Figure(
        "attempts on reused connections without a remedy",
        base["attempts"] - base["connections"],
        at_least=2000,
    )
    yield Figure("of them lost", base["failure"], at_least=1)
    for row in document["remedies"]:
        yield Figure(f"failures left of {row['requests']} with {row['remedy']}", row["failure"], at_most=0)
        yield Figure("  carried out more than once", row["more"], at_most=0)
        yield Figure("  added at the median", row["added_median_ms"], " ms")

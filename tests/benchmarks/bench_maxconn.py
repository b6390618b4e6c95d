"""The limit of connections, fifty times over."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.figures import Figure, econnlab

RUNS = 50


def measure() -> Iterator[Figure]:
    """Runs with exactly 5 successes, and 15 failures all over capacity for certain."""
    exact = 0
    for _ in range(RUNS):
        document, _took = econnlab("maxconn", "--max-connections", "5", "--clients", "20")
        (row,) = document["rows"]
        sure = all(failure["certainty"] == "certain" for failure in document["failures"])
        exact += (row["success"], row["failure"], row["over_capacity"], sure) == (5, 15, 15, True)
    yield Figure(f"maxconn 5 of 20: exact runs of {RUNS}", exact, at_least=RUNS)

"""A thousand failures of all kinds, and how many of them the lab cannot name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.benchmarks.figures import Figure, econnlab

RACE = ["--keepalive-timeout", "400", "--interval", "400", "--sessions", "60", "--requests", "8"]
MAXCONN = ["--max-connections", "5", "--clients", "50"]
RUNS = [
    ["keepalive", *RACE],
    ["keepalive", *RACE, "--client", "urllib3", "--method", "POST"],
    ["keepalive", *RACE, "--no-stale-check"],
    ["keepalive", *RACE, "--no-stale-check", "--link", "none", "--method", "POST"],
    ["keepalive", *RACE, "--link", "none"],
    ["keepalive", *RACE, "--link", "region"],
    ["keepalive", *RACE, "--link", "wan"],
    ["keepalive", *RACE, "--retries", "3"],
    ["keepalive", *RACE, "--link", "none", "--server-busy", "60ms/100ms"],
    ["keepalive", *RACE, "--server-busy", "30ms/200ms", "--no-stale-check"],
    ["keepalive", "--sessions", "20", "--requests", "3", "--interval", "50", "--timeout", "30",
     "--server-busy", "100ms/200ms", "--keepalive-timeout", "1s"],
    ["maxconn", *MAXCONN],
    ["maxconn", *MAXCONN, "--link", "none"],
    ["maxconn", *MAXCONN, "--when-full", "reset"],
    ["maxconn", *MAXCONN, "--when-full", "reset", "--link", "none", "--method", "POST"],
    ["maxconn", *MAXCONN, "--when-full", "503"],
    ["maxconn", *MAXCONN, "--when-full", "queue", "--timeout", "300"],
    ["maxconn", *MAXCONN, "--when-full", "queue", "--timeout", "300", "--link", "none"],
]  # fmt: skip


def measure() -> Iterator[Figure]:
    """Failed attempts by kind, and the share of unknown causes."""
    kinds: Counter[str] = Counter()
    for words in RUNS:
        document, _took = econnlab(*words)
        for failure in document["failures"]:
            kinds[f"{failure['cause']}, {failure['outcome']}, {failure['certainty']}"] += 1
    for kind, count in kinds.most_common():
        yield Figure(kind, count)
    yield Figure("failed attempts of all kinds", kinds.total(), at_least=1000)
    unknown = sum(count for kind, count in kinds.items() if kind.startswith("unknown"))
    yield Figure("  of unknown cause", unknown, at_most=0)

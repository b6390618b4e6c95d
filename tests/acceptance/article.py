"""The article's own parts, Node 14.18.0 and axios 0.22.0: its second experiment 20 times, then its sweep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from econnlab.attribution.statistics import wilson
from tests.benchmarks.figures import Figure, econnlab

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "20"))
PARTS = ("--server", "node@14.18.0", "--client", "axios@0.22.0")
RETRIED = ("--retry", "axios-retry@3.2.0")
#: What Node prints of a lost connection.
NAMES = {"socket hang up", "read ECONNRESET", "write EPIPE"}
#: Failures of 10, by interval in ms.
TABLE = {4900: 0, 4950: 0, 4980: 0, 4985: 1, 4990: 1, 4995: 2, 5000: 4}
INTERVALS = ",".join(map(str, TABLE))
#: With a p99 lateness above this, a run over bare loopback says nothing of a window of 1 ms.
PUNCTUAL_MS = 2.0


def measure() -> Iterator[Figure]:
    """Each experiment as the article did it; what is asked for is what the article measured."""
    yield from one_connection()
    yield from one_connection_with_retries()
    yield from with_the_default_link()
    yield from over_bare_loopback()


def one_connection() -> Iterator[Figure]:
    """One success and one failure, named over_capacity."""
    right = 0
    for _ in range(ROUNDS):
        found, _took = econnlab("maxconn", *PARTS)
        (row,) = found["rows"]
        causes = [each["cause"] for each in found["failures"]]
        right += (row["success"], row["failure"], causes) == (1, 1, ["over_capacity"])
    yield Figure(f"maxconn: one success, one over_capacity, of {ROUNDS}", right, at_least=ROUNDS)


def one_connection_with_retries() -> Iterator[Figure]:
    """axios-retry is over before the winner gives its connection back, and the run says so."""
    rescued = said = 0
    for _ in range(ROUNDS):
        found, _took = econnlab("maxconn", *PARTS, *RETRIED)
        (row,) = found["rows"]
        rescued += row["rescued"]
        said += any("kept its connection" in each for each in found["remarks"])
    yield Figure(f"maxconn with axios-retry: rescued, of {ROUNDS}", rescued, at_most=0)
    yield Figure("  runs that say why", said, at_least=ROUNDS)


def with_the_default_link() -> Iterator[Figure]:
    """Every row's rate is inside the article's own 95 % interval."""
    found, took = econnlab("sweep", INTERVALS, *PARTS, "--sessions", "20")
    for row in found["rows"]:
        low, high = wilson(TABLE[round(row["interval_ms"])], 10)
        yield Figure(f"sweep: {row['interval_ms']:g} ms, % failed", 100 * row["failure_rate"],
                     at_least=100 * low, at_most=100 * high)  # fmt: skip
    yield Figure("  failures that Node names otherwise than it prints them", odd(found), at_most=0)
    yield Figure("  took", took, " s", at_most=1.08 * 50)


def over_bare_loopback() -> Iterator[Figure]:
    """The window itself: wide at 5000 ms, nothing at 4980 ms and below; judged if the run was punctual."""
    found, _took = econnlab("sweep", INTERVALS, *PARTS, "--sessions", "20", "--link", "none")
    late = found["lateness"]["p99_ms"]
    rate = {round(row["interval_ms"]): 100 * row["failure_rate"] for row in found["rows"]}
    judged = late < PUNCTUAL_MS
    yield Figure(f"--link none: p99 lateness{'' if judged else ', too late to be judged'}", late, " ms")
    yield Figure("  5000 ms, % failed", rate[5000], at_least=20 if judged else None)
    yield Figure("  4995 ms, % failed", rate[4995])
    low = max(rate[each] for each in (4900, 4950, 4980))
    yield Figure("  4900 to 4980 ms, % failed at most", low, at_most=0 if judged else None)


def odd(found: dict[str, Any]) -> int:
    """Failures with a name that Node does not print."""
    return sum(each["named"] not in NAMES for each in found["failures"])

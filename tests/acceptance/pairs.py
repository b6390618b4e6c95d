"""Blind test with peers: a thousand failures of real clients and servers, and how they are named."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator

from econnlab.record.attempts import Outcome
from econnlab.record.run import Run
from tests.benchmarks.figures import Figure
from tests.support.pairs import judge, perform, scenarios, unknown

FAILURES = int(os.environ.get("ECONNLAB_EXAMPLES", "1000"))
JOBS = 4
_AT_ONCE = 12


def measure() -> Iterator[Figure]:
    """Shares of right, wrong and unknown names."""
    seed = int(time.time())
    yield Figure("seed", seed)
    chosen = list(scenarios())
    random.Random(seed).shuffle(chosen)
    runs: list[Run] = []
    while chosen and sum(map(failures, runs)) < FAILURES:
        made, missing = perform(chosen[:_AT_ONCE], JOBS)
        runs += made
        del chosen[:_AT_ONCE]
        for why, count in missing.items():
            sys.stderr.write(f"not run, {count}: {why}\n")
    score = judge(runs, seed)
    for said, count in (score.wrong + score.wrong_with_certainty).most_common():
        sys.stderr.write(f"wrong {count}: {said}\n")
    yield Figure(f"failures judged, of {len(runs)} runs", score.failures, at_least=FAILURES)
    yield Figure("  named right, %", 100 * score.right / max(1, score.failures))
    yield Figure("  named wrong with certainty", score.wrong_with_certainty.total(), at_most=0)
    yield Figure("  unknown, %", 100 * unknown(score) / max(1, score.failures), at_most=2)


def failures(run: Run) -> int:
    """Failed attempts of the run."""
    return sum(each.outcome is not Outcome.OK for request in run.requests for each in request.attempts)

"""Every scenario, ROUNDS times: whether it holds what it expects, how long all take, and the blind test."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from econnlab.cli.batch import DEFAULT_JOBS
from econnlab.explain.expectations import broken
from econnlab.explain.summary import summarize
from econnlab.lab.workers import Workers
from econnlab.record.run import Run
from econnlab.scenario.catalogue import load, names
from tests.benchmarks.figures import Figure
from tests.blind import judge

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "30"))


def measure() -> Iterator[Figure]:
    """The worst scenario's count of rounds that held, the slowest round, and the blind test's shares."""
    scenarios = [load(name) for name in names()]
    held: Counter[str] = Counter()
    runs: list[Run] = []
    slowest = 0.0
    for _ in range(ROUNDS):
        began = time.monotonic()
        with Workers(scenarios, DEFAULT_JOBS) as workers:
            for done in filter(None, workers.results()):
                assert done.run is not None, f"{done.scenario.name}: {done.error}"
                assert done.scenario.expect is not None
                runs.append(done.run)
                missed = broken(summarize(done.run), done.scenario.expect)
                held[done.scenario.name] += not missed
                if missed or done.error:
                    sys.stderr.write(f"{done.scenario.name}: {'; '.join(missed)} {done.error or ''}\n")
        slowest = max(slowest, time.monotonic() - began)
    worst = min(names(), key=lambda name: held[name])
    yield Figure(
        f"{len(scenarios)} scenarios; rounds of {ROUNDS} that held, worst: {worst}",
        held[worst],
        at_least=ROUNDS,
    )
    yield Figure("all of them side by side, slowest round", slowest, " s", at_most=60)
    score = judge(runs, seed=1)
    for said, count in (score.wrong + score.wrong_with_certainty).most_common():
        sys.stderr.write(f"wrong {count}: {said}\n")
    yield Figure("blind test: failures judged", score.failures)
    yield Figure("  named right, %", 100 * score.right / score.failures, at_least=99)
    yield Figure("  named wrong with certainty", score.wrong_with_certainty.total(), at_most=0)

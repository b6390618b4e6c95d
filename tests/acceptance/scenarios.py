"""Every scenario, ROUNDS times: what it expects, how long it takes, the blind test, packets and ledgers."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator

from econnlab.attribution.expectations import broken
from econnlab.attribution.summary import summarize
from econnlab.commands.experiments.batch import DEFAULT_JOBS
from econnlab.lab.capturing import Capturing, Where, where_to_capture
from econnlab.lab.workers import Done, Workers
from econnlab.packets.flows import follow
from econnlab.packets.reading import read_capture
from econnlab.record.run import Run
from econnlab.scenario.catalogue import load, names
from econnlab.scenario.model import Scenario
from tests.benchmarks.figures import Figure
from tests.support.agreement import Agreement, agreement
from tests.support.blind import judge

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "30"))


def measure() -> Iterator[Figure]:
    """The worst scenario's count of rounds that held, the slowest round, and the blind test's shares."""
    scenarios = [load(name) for name in names()]
    held: Counter[str] = Counter()
    runs: list[Run] = []
    agreed: dict[str, Agreement] = {name: Agreement() for name in names()}
    slowest = 0.0
    for _ in range(ROUNDS):
        began = time.monotonic()
        for done in perform(scenarios, agreed):
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
    yield from beside_ledgers(agreed)
    score = judge(runs, seed=1)
    for said, count in (score.wrong + score.wrong_with_certainty).most_common():
        sys.stderr.write(f"wrong {count}: {said}\n")
    yield Figure("blind test: failures judged", score.failures)
    yield Figure("  named right, %", 100 * score.right / score.failures, at_least=99)
    yield Figure("  named wrong with certainty", score.wrong_with_certainty.total(), at_most=0)


def perform(scenarios: list[Scenario], agreed: dict[str, Agreement]) -> Iterator[Done]:
    """One round; its packets are compared as each scenario ends."""
    with contextlib.ExitStack() as stack:
        files = {each.name: stack.enter_context(tempfile.TemporaryFile()) for each in scenarios}
        captures = {}
        for scenario in scenarios:
            place, _ = where_to_capture(scenario)
            if place is not Where.NOWHERE:
                into = files[scenario.name].fileno()
                captures[scenario.name] = Capturing(into, place is Where.PRIVATE)
        workers = stack.enter_context(Workers(scenarios, DEFAULT_JOBS, captures))
        for done in filter(None, workers.results()):
            if done.run is not None and done.scenario.name in captures:
                file = files[done.scenario.name]
                file.seek(0)
                found = agreement(done.run, follow(read_capture(file)))
                agreed[done.scenario.name].add(found)
                for said, count in found.different.items():
                    sys.stderr.write(f"{done.scenario.name}: {count} of {found.failures}: {said}\n")
            yield done


def beside_ledgers(agreed: dict[str, Agreement]) -> Iterator[Figure]:
    """The same causes from packets alone, as a share of the failures that put packets on the wire."""
    judged = {name: each for name, each in agreed.items() if each.failures > each.without_packets}
    worst = min(judged, key=lambda name: judged[name].share)
    failures = sum(each.failures - each.without_packets for each in judged.values())
    alike = sum(each.agreed for each in judged.values())
    yield Figure("failures with packets, in all scenarios", failures)
    yield Figure("  named alike by packets and by ledgers, %", 100 * alike / failures, at_least=99)
    yield Figure(f"  in the worst scenario ({worst}), %", 100 * judged[worst].share, at_least=99)

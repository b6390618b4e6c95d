"""The blind test: attribution is given ledgers and counters alone, of runs whose scenarios it cannot know."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from econnlab.attribution.attribution import attribute
from econnlab.attribution.evidence import Case, Evidence
from econnlab.attribution.verdict import Certainty
from econnlab.record.attempts import Outcome
from econnlab.record.run import Run
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Kernel, Scenario
from econnlab.scenario.server import ServerSpec


@dataclass
class Score:
    """How many failures were named right and wrong, and the wrong ones in words."""

    right: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    wrong_with_certainty: Counter[str] = field(default_factory=Counter)

    @property
    def failures(self) -> int:
        """All that were judged."""
        return self.right + self.wrong.total()


def blinded(run: Run) -> Run:
    """``run`` without a word of what was meant to happen: only what stood between client and server."""
    relayed = run.scenario.relayed
    wire = Kernel({}, Decimal(1)) if run.scenario.wired else None
    return replace(
        run,
        scenario=Scenario(
            "blind",
            server=None if run.scenario.server is None else ServerSpec(),
            url=run.scenario.url,
            link=PROFILES["lan" if relayed else "none"],
            proxy=run.scenario.proxy,
            kernel=wire,
            client=ClientSpec(),
            plan=run.scenario.plan,
        ),
        requests=list(run.requests),
        events=list(run.events),
    )


def judge(runs: Iterable[Run], seed: int) -> Score:
    """Attribute every failed attempt of ``runs``, in random order, and hold it against its scenario's causes.

    Of a scenario that expects several causes, each as often as it expects it: what is over counts as wrong.
    """
    cases: list[tuple[str, Case]] = []
    allowed: dict[str, dict[str, int]] = {}
    for number, run in enumerate(runs):
        assert run.scenario.expect is not None
        name = f"{run.scenario.name}#{number}"
        expected = run.scenario.expect.causes or {}
        allowed[name] = {
            cause: 1 << 30 if count.high is None else count.high for cause, count in expected.items()
        }
        evidence = Evidence(blinded(run))
        evidence.update()
        failed = (a for request in run.requests for a in request.attempts if a.outcome is not Outcome.OK)
        cases += [(name, evidence.case(attempt)) for attempt in failed]
    random.Random(seed).shuffle(cases)
    score = Score()
    for name, case in cases:
        verdict = attribute(case)
        if allowed[name].get(verdict.cause, 0) > 0:
            allowed[name][verdict.cause] -= 1
            score.right += 1
            continue
        said = f"{name.partition('#')[0]}: {verdict.cause}: {verdict.evidence}"
        score.wrong[said] += 1
        if verdict.certainty is Certainty.CERTAIN:
            score.wrong_with_certainty[said] += 1
    return score

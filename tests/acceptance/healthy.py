"""Healthy sessions of real programs, whole and mishandled: not one loss may be told of them."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from econnlab.attribution.packets.diagnosis import Diagnosis, diagnose
from econnlab.packets.flows import follow
from econnlab.packets.frames import ETHERNET, Frame
from tests.benchmarks.figures import Figure
from tests.support import mishaps
from tests.support.sessions import KINDS, Missing, record

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "10"))
EXCHANGES, FEWEST_KINDS = 30_000, 20
#: Of captures with packets missing, so many are made from each.
SEEDS = {mishaps.dropped: 8, mishaps.swapped: 4, mishaps.middle: 4}


def judged(frames: list[tuple[int, bytes]]) -> Diagnosis:
    """What the frames come to."""
    return diagnose(follow(Frame(at, ETHERNET, data, len(data)) for at, data in frames))


def measure() -> Iterator[Figure | str]:
    """Exchanges, and losses told of them, by kind."""
    exchanges, lost, kinds = 0, 0, 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                frames = record(kind, Path(folder), ROUNDS)
            except Missing as missing:
                yield Figure(f"left out: {kind} ({missing})", 0)
                continue
        kinds += 1
        asked, told = of_kind(kind, frames)
        exchanges, lost = exchanges + asked, lost + told.total()
        yield Figure(
            f"{kind}: losses told of {asked:,} exchanges {dict(told) or ''}", told.total(), at_most=0
        )
    yield Figure("kinds of healthy sessions", kinds, at_least=FEWEST_KINDS)
    yield Figure("exchanges", exchanges, at_least=EXCHANGES)
    yield Figure("losses told that were none", lost, at_most=0)


def of_kind(kind: str, frames: list[tuple[int, bytes]]) -> tuple[int, Counter[str]]:
    """Exchanges of all the captures made from one, and the losses told of them."""
    asked, told = 0, Counter[str]()
    whole = judged(frames)
    turns = sum(server.requests for server in whole.servers) or max(1, whole.connections)
    for mishap in mishaps.ALL:
        for seed in range(SEEDS.get(mishap, 1)):
            found = judged(mishap(frames, mishaps.chance(kind, mishap.__name__, seed)))
            asked += turns
            for finding in found.findings:
                if finding.lost:
                    told[f"{mishap.__name__}/{seed}: {finding.verdict.cause}"] += 1
                    if os.environ.get("ECONNLAB_SHOW"):
                        print(
                            mishap.__name__,
                            seed,
                            finding.client,
                            finding.server,
                            finding.verdict,
                            finding.request,
                        )
    return asked, told

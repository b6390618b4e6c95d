"""Which log-normal delay makes the article's table likeliest: where the ``article`` profile comes from."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from tests.benchmarks.bench_sweep import ARTICLE
from tests.benchmarks.figures import Figure

DRAWS = 50_000
MEDIANS_MS = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
JITTERS = (0.8, 1.0, 1.2, 1.4, 1.6)


def measure() -> Iterator[Figure]:
    """The log-likelihood of the best pairs of the grid, the best first."""
    draw = random.Random(1)
    normal = [(draw.gauss(0, 1), draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(DRAWS)]
    fits = sorted(
        ((likelihood(median, jitter, normal), median, jitter) for median in MEDIANS_MS for jitter in JITTERS),
        reverse=True,
    )
    for value, median, jitter in fits[:5]:
        yield Figure(f"log-likelihood of the article's counts, median {median} ms, jitter {jitter}", value)


def likelihood(median_ms: float, jitter: float, normal: list[tuple[float, float, float]]) -> float:
    """Of the article's seven counts of 10, with delays of this median and sigma of the logarithm."""
    mu = math.log(median_ms)
    delays = [tuple(math.exp(mu + jitter * each) for each in three) for three in normal]
    total = 0.0
    for interval, failures in ARTICLE.items():
        early = 5000 - interval
        # docs/architecture.md, The keep-alive race: T - (d_resp + d_req) < I < T + (d_fin - d_resp)
        lost = sum(early < resp + req and -early < fin - resp for resp, req, fin in delays) / len(delays)
        rate = min(max(per_request(lost), 1e-9), 1 - 1e-9)
        total += math.log(math.comb(10, failures) * rate**failures * (1 - rate) ** (10 - failures))
    return total


def per_request(lost: float) -> float:
    """The share of 10 requests that fail where a reused attempt does with chance ``lost``.

    The first, and each after a failure, has a new connection and cannot fail.
    """
    fresh, failed = 1.0, 0.0
    for _ in range(10):
        fresh = (1 - fresh) * lost
        failed += fresh
    return failed / 10

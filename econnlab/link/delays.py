"""One-way delays drawn from a seed. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from econnlab.scenario.links import Delay


def delays(delay: Delay, seed: str) -> Callable[[], float]:
    """A function that draws delays in seconds; equal seeds draw equal delays."""
    median_s = float(delay.median_ms) / 1000
    if not median_s or not delay.jitter:
        return lambda: median_s
    mu, sigma = math.log(median_s), float(delay.jitter)
    draw = random.Random(seed)
    return lambda: draw.lognormvariate(mu, sigma)

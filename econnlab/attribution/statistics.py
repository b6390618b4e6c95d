"""The statistics that the lab prints."""

import math
from collections.abc import Sequence
from statistics import NormalDist

#: The standard normal's 97.5 % quantile: for a two-sided 95 % interval.
Z95 = NormalDist().inv_cdf(0.975)


def wilson(failures: int, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a rate (Wilson 1927, JASA 22:209); 0 to 1 without trials."""
    if trials == 0:
        return 0.0, 1.0
    rate = failures / trials
    z2 = Z95 * Z95
    middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    # The formula gives exactly 0 and 1 here; floating point may not.
    low = 0.0 if failures == 0 else max(0.0, middle - half)
    high = 1.0 if failures == trials else min(1.0, middle + half)
    return low, high


def differ(failures: int, trials: int, others: int, other_trials: int) -> bool:
    """Whether the 95 % interval of the difference of two rates excludes 0 (Newcombe 1998, method 10).

    The intervals of the two rates may still overlap.
    """
    if not trials or not other_trials:
        return False
    rate, other = failures / trials, others / other_trials
    low, high = wilson(failures, trials)
    other_low, other_high = wilson(others, other_trials)
    difference = rate - other
    below = math.hypot(rate - low, other_high - other)
    above = math.hypot(high - rate, other - other_low)
    return not difference - below <= 0 <= difference + above


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value at or below which ``share`` of ``ordered`` lies (nearest rank). ValueError if empty."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

"""How often a server looks for idle connections, if it does so periodically.

Such a server (waitress: every 30 s) closes at its own moments, up to a period after the idle time is over.
A server with a timer for each connection closes them one by one.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from statistics import linear_regression

from econnlab.attribution.statistics import quantile
from econnlab.commands.probe.seen import ProbeVisit

#: Shorter periods look like the pace at which the probe opens connections, and hardly matter.
_LEAST_S = 0.05
#: So many scans must have been seen.
_FEWEST = 4
#: Idle times are spread over a period: over at least and at most such a share of it.
_SPREAD = 0.5, 1.3
#: How near the closes are to one beat: 1 if all are on it, 0.85 if they are late by a tenth of a period on
#: average, and at most 0.56 if a timer of each connection spreads them evenly over half a period or more.
_ON_BEAT = 0.75
#: A peak of a periodogram is one beat in the whole time seen wide; the search steps are such parts of it.
_PARTS = 8
#: Moments on a beat are also on the beats of half and a third of its period, and so on.
_AS_STRONG, _MOST_TIMES = 0.9, 6


def scan_period_s(visits: Sequence[ProbeVisit]) -> float | None:
    """The seconds between two scans; None if the closes have no beat, or too few scans were seen."""
    closed = [(visit.began, visit.closing.idle_s) for visit in visits if visit.closing is not None]
    if len(closed) < _FEWEST:
        return None
    idle = sorted(idle_s for _, idle_s in closed)
    spread = quantile(idle, 0.95) - quantile(idle, 0.05)
    shortest, longest = max(_LEAST_S, spread / _SPREAD[1]), spread / _SPREAD[0]
    moments = sorted(began + idle_s for began, idle_s in closed)
    moments = [at - moments[0] for at in moments]
    if longest < shortest or not moments[-1]:
        return None
    beat = _beat(moments, shortest, longest)
    if _strength(moments, beat) < _ON_BEAT:
        return None
    # If all connections began in one part of the period, their idle times differ by less than a period.
    strong = [
        times * beat
        for times in range(1, _MOST_TIMES + 1)
        if _strength(moments, times * beat) >= _AS_STRONG * _strength(moments, beat)
    ]
    return _fitted(moments, strong[-1])


def _beat(moments: Sequence[float], shortest: float, longest: float) -> float:
    """The period between these that fits the moments best: the peak of their periodogram."""
    step = 1 / (_PARTS * moments[-1])
    steps = range(math.ceil((1 / shortest - 1 / longest) / step) + 1)
    periods = [1 / (1 / longest + number * step) for number in steps]
    return max(periods, key=lambda period: _strength(moments, period))


def _strength(moments: Sequence[float], period: float) -> float:
    """1 if all moments are on one beat of this period, near 0 if they have no beat."""
    return abs(_turned(moments, period))


def _turned(moments: Sequence[float], period: float) -> complex:
    """The mean of the moments as directions on a circle that is one period around."""
    return sum(cmath.exp(2j * math.pi * at / period) for at in moments) / len(moments)


def _fitted(moments: Sequence[float], period: float) -> float | None:
    """The slope of the moments over the numbers of their scans."""
    phase = cmath.phase(_turned(moments, period)) / (2 * math.pi)
    numbers = [round(at / period - phase) for at in moments]
    if len(set(numbers)) < _FEWEST:
        return None
    return linear_regression(numbers, moments).slope

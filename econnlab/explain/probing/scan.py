"""How often a server looks for idle connections, where it does that from time to time.

Such a server (waitress: every 30 s) closes at moments of its own, up to a period after the idle time is over.
A server with a timer for each connection closes each in its turn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from econnlab.explain.statistics import quantile
from econnlab.record.probing import Visit

#: Closes within this are of one look.
_SAME_S = 0.01
#: Shorter periods are not told from the pace at which connections are opened, and hardly matter.
_LEAST_S = 0.05
#: So many looks must have been seen, and such a share of them within so much of a period of the beat.
_FEWEST, _ON_BEAT, _MOST_OFF = 4, 0.8, 0.15
#: Idle times are spread over a period: over so much of it at least, and so much at most.
_SPREAD = 0.4, 1.3


def scan_period_s(visits: Sequence[Visit]) -> float | None:
    """The seconds between two looks; None where closes have no beat, or too few looks were seen."""
    closed = [(visit.began, visit.closing.idle_s) for visit in visits if visit.closing is not None]
    looks = _looks(sorted(began + idle_s for began, idle_s in closed))
    if len(looks) < _FEWEST:
        return None
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(looks))
    period = quantile([gap for gap in gaps if gap >= _LEAST_S] or gaps, 0.5)
    if period < _LEAST_S:
        return None
    period = _fitted(looks, period)
    idle = sorted(idle_s for _, idle_s in closed)
    spread = quantile(idle, 0.95) - quantile(idle, 0.05)
    on_beat = sum(abs(_off(look - looks[0], period)) <= _MOST_OFF for look in looks)
    fits = on_beat >= _ON_BEAT * len(looks) and _SPREAD[0] * period <= spread <= _SPREAD[1] * period
    return period if fits else None


def _looks(moments: Sequence[float]) -> list[float]:
    """The first moment of each look."""
    return [at for before, at in itertools.pairwise([-math.inf, *moments]) if at - before > _SAME_S]


def _fitted(looks: Sequence[float], period: float) -> float:
    """From the first look to the last on the beat there is a whole number of periods."""
    for look in reversed(looks):
        times = round((look - looks[0]) / period)
        if times and abs(_off(look - looks[0], period)) <= _MOST_OFF:
            return (look - looks[0]) / times
    return period


def _off(since: float, period: float) -> float:
    """How far from the beat, in periods."""
    return since / period - round(since / period)

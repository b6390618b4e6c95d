"""The race window: how many requests were lost at which send times, and where it begins and ends."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from econnlab.explain.probing.search import FIRST_EDGE, LAST_EDGE
from econnlab.explain.probing.thresholds import Distribution, estimate, spans
from econnlab.explain.statistics import wilson
from econnlab.record.attempts import Outcome
from econnlab.record.probing import Visit

#: The picture has at most so many bands, each of at least so many trials on average.
_MOST_BANDS, _TRIALS_EACH = 14, 5
#: It is never finer than this: sends are not more punctual.
_FINEST_S = 0.0001


@dataclass(frozen=True, slots=True)
class Edge:
    """A send time, ms of idle time, and between which two it lies with 95 %."""

    at_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class Band:
    """The trials that were sent from one idle time on, up to another."""

    from_ms: float
    to_ms: float
    tried: int
    lost: int
    #: Of those lost: the end could not be seen when the request was written. Clients that look lose these.
    unseen: int

    @property
    def rate(self) -> float:
        """The share that was lost."""
        return self.lost / self.tried if self.tried else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """Of the rate."""
        return wilson(self.lost, self.tried)


@dataclass(frozen=True)
class Window:
    """From where on requests are lost that are written blindly."""

    first: Edge
    middle: Edge
    last: Edge
    bands: tuple[Band, ...]
    #: How those that were lost ended.
    outcomes: Counter[Outcome]
    trials: int
    lost: int
    unseen: int

    @property
    def width_ms(self) -> float:
        """From the first edge to the last."""
        return self.last.at_ms - self.first.at_ms


def window_of(visits: Sequence[Visit], round_trip_s: float) -> Window | None:
    """None where no trial was lost."""
    trials = [visit for visit in visits if visit.asked and visit.exact]
    lost = [trial for trial in trials if trial.lost]
    found = estimate(spans(visits, round_trip_s))
    if found is None or not lost:
        return None
    first, middle, last = (_edge(found, share) for share in (FIRST_EDGE, 0.5, LAST_EDGE))
    if math.isinf(last.at_ms):
        return None
    return Window(
        first,
        middle,
        last,
        tuple(_bands(trials, first, last)),
        Counter(trial.outcome for trial in lost if trial.outcome is not None),
        len(trials),
        len(lost),
        sum(not trial.seen for trial in lost),
    )


def _edge(found: Distribution, share: float) -> Edge:
    low, high = found.interval(share)
    return Edge(found.quantile(share) * 1000, low * 1000, high * 1000)


def _bands(trials: Sequence[Visit], first: Edge, last: Edge) -> list[Band]:
    """Equal bands from half a window before it to half a window behind it, and all that lies beyond."""
    wide = max(last.at_ms - first.at_ms, 4 * _FINEST_S * 1000)
    low, high = max(0.0, first.at_ms - wide / 2), last.at_ms + wide / 2
    count = max(4, min(_MOST_BANDS, len(trials) // _TRIALS_EACH))
    places = [low + (high - low) * place / count for place in range(count + 1)]
    ends = [-math.inf, *places, math.inf]
    return [
        band
        for start, end in itertools.pairwise(ends)
        if (band := _band(trials, start, end)).tried or (math.isfinite(start) and math.isfinite(end))
    ]


def _band(trials: Sequence[Visit], start: float, end: float) -> Band:
    inside = [trial for trial in trials if start <= (trial.idle_s or 0.0) * 1000 < end]
    lost = [trial for trial in inside if trial.lost]
    moments = [trial.idle_s * 1000 for trial in inside if trial.idle_s is not None]
    return Band(
        start if math.isfinite(start) else min(moments, default=0.0),
        end if math.isfinite(end) else max(moments, default=0.0),
        len(inside),
        len(lost),
        sum(not trial.seen for trial in lost),
    )

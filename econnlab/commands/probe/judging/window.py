"""The race window: how many requests were lost at each send time, and where it begins and ends."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from econnlab.attribution.statistics import quantile, wilson
from econnlab.commands.probe.judging.search import FIRST_EDGE, LAST_EDGE
from econnlab.commands.probe.judging.thresholds import estimate, resampled, spans, warm
from econnlab.commands.probe.seen import ProbeVisit
from econnlab.record.attempts import Outcome

#: The table has at most so many bands, each with at least so many trials on average.
_MOST_BANDS, _TRIALS_EACH = 14, 5
#: A band is at least this wide, because sends are not more punctual.
_FINEST_MS = 0.1


@dataclass(frozen=True, slots=True)
class Edge:
    """A send time as ms of idle time, and its 95 % interval."""

    at_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class Band:
    """The trials between two idle times."""

    from_ms: float
    to_ms: float
    tried: int
    lost: int
    #: Lost while the end could not be seen when the request was written: clients that check lose these too.
    unseen: int

    @property
    def rate(self) -> float:
        """The share that was lost."""
        return self.lost / self.tried if self.tried else 0.0

    @property
    def unseen_rate(self) -> float:
        """The share that a client loses even if it checks before it writes."""
        return self.unseen / self.tried if self.tried else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """The 95 % interval of the rate."""
        return wilson(self.lost, self.tried)


@dataclass(frozen=True)
class RaceWindow:
    """The send times at which requests are lost."""

    first: Edge
    middle: Edge
    last: Edge
    #: From then on the end can be seen on 95 % of the connections; None if it was never seen.
    visible_ms: float | None
    bands: tuple[Band, ...]
    #: How the lost requests ended.
    outcomes: Counter[Outcome]
    trials: int
    lost: int
    unseen: int

    @property
    def width_ms(self) -> float:
        """From the first edge to the last."""
        return self.last.at_ms - self.first.at_ms


def window_of(visits: Sequence[ProbeVisit], round_trip_s: float) -> RaceWindow | None:
    """The race window; None if no trial was lost."""
    trials = [visit for visit in visits if visit.asked and visit.exact]
    lost = [trial for trial in trials if trial.lost]
    found = spans(warm(visits), round_trip_s)
    distribution = estimate(found)
    if distribution is None or not lost:
        return None
    shares = FIRST_EDGE, 0.5, LAST_EDGE
    first, middle, last = (
        Edge(distribution.quantile(share) * 1000, low * 1000, high * 1000)
        for share, (low, high) in zip(shares, resampled(found, shares), strict=True)
    )
    closes = sorted(v.closing.idle_s for v in warm(visits) if v.closing is not None and not v.asked)
    visible_ms = quantile(closes, LAST_EDGE) * 1000 if closes else None
    return RaceWindow(
        first,
        middle,
        last,
        visible_ms,
        tuple(_bands(trials, first.at_ms, max(last.at_ms, visible_ms or 0.0))),
        Counter(trial.outcome for trial in lost if trial.outcome is not None),
        len(trials),
        len(lost),
        sum(not trial.seen for trial in lost),
    )


def _bands(trials: Sequence[ProbeVisit], first_ms: float, last_ms: float) -> list[Band]:
    """Equal bands from before the window to behind it, and one on either side for the rest."""
    around = max((last_ms - first_ms) / 3, 2 * _FINEST_MS)
    low, high = max(0.0, first_ms - around), last_ms + around
    count = max(4, min(_MOST_BANDS, len(trials) // _TRIALS_EACH))
    places = [low + (high - low) * place / count for place in range(count + 1)]
    bands = [_band(trials, start, end) for start, end in itertools.pairwise([-math.inf, *places, math.inf])]
    return [band for place, band in enumerate(bands) if band.tried or 0 < place < len(bands) - 1]


def _band(trials: Sequence[ProbeVisit], start: float, end: float) -> Band:
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

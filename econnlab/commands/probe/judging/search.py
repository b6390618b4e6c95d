"""When to send the next second request: first across the window, then where it is most informative."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence

from econnlab.commands.probe.judging.thresholds import Distribution, estimate, round_trip, spans, warm
from econnlab.commands.probe.seen import ProbeVisit

#: The edges of the race window: the share of requests lost at its beginning, and at its end.
FIRST_EDGE, LAST_EDGE = 0.05, 0.95
#: A server that closes sooner keeps nothing: it closes right behind its response.
AT_ONCE_S = 0.02
#: So many closes must have been seen before a second request is sent.
CLOSES = 4
#: So many trials go across the whole window before any is aimed.
COARSE = 8
#: The search covers at least this much on either side of the window that was seen.
_LEAST_S = 0.001
#: Where the aimed trials go, in turn: both edges twice as often as the middle; None: beyond the edges.
_AIMS = (FIRST_EDGE, LAST_EDGE, 0.5, None, FIRST_EDGE, LAST_EDGE, 0.25, 0.75)
#: Moments are decided this long before the window begins, to be in time.
_AHEAD_S = 0.008
#: At least and at most so many trials; in between, until the edges are known well enough.
FEWEST, MOST = 90, 120
#: Known well enough: within so many seconds, or such a share of the window.
_WITHIN_S, _WITHIN_SHARE = 0.00015, 0.08
#: Rounds of the estimate while the probe runs.
_QUICK_ROUNDS = 50


class Search:
    """Collects visits as they end, and decides when the second request of the next is sent."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._visits: list[ProbeVisit] = []
        self._aims = itertools.cycle(_AIMS)
        self._sides = itertools.cycle((0, 1))
        self._coarse: Iterator[float] | None = None
        self._found: Distribution | None = None
        self._fresh = False
        self._given_up = False
        #: ``refresh`` has reported that enough is known to aim, and that no more is needed.
        self._told = self._told_enough = False
        self.trials = 0

    @property
    def visits(self) -> Sequence[ProbeVisit]:
        """All visits so far."""
        return self._visits

    @property
    def round_trip_s(self) -> float:
        """A round trip, or little more."""
        return round_trip(self._visits)

    def add(self, visit: ProbeVisit) -> None:
        """A visit has ended."""
        self._visits.append(visit)
        self.trials += visit.asked and visit.exact
        self._fresh = False

    def give_up(self) -> None:
        """There is nothing to aim at, so no second request is sent."""
        self._given_up = True

    def refresh(self) -> bool:
        """Estimate anew, which takes some milliseconds. Returns whether there is news for waiting tasks."""
        if self._fresh:
            return False
        self._fresh = True
        self._found = estimate(spans(warm(self._visits), self.round_trip_s), _QUICK_ROUNDS)
        first = self.known and not self._told
        enough = self.enough and not self._told_enough
        self._told, self._told_enough = self._told or first, self._told_enough or enough
        return first or enough

    # -- what is known ----------------------------------------------------------------------------

    @property
    def closes_s(self) -> list[float]:
        """The idle times after which the server closed connections on which nothing was sent, in order."""
        return sorted(v.closing.idle_s for v in self._visits if v.closing is not None and not v.asked)

    @property
    def known(self) -> bool:
        """Enough closes have been seen to aim at."""
        return self._found is not None and len(self.closes_s) >= CLOSES

    @property
    def frame_s(self) -> tuple[float, float]:
        """The search range: the window as far as it is known, and half as much again on either side."""
        assert self._found is not None
        low, high = self._found.quantile(FIRST_EDGE), self._found.quantile(LAST_EDGE)
        around = max(_LEAST_S, self.round_trip_s, (high - low) / 2)
        return max(0.0, low - around), high + around

    @property
    def decided_s(self) -> float:
        """Idle seconds before which no second request is sent; infinite as long as nothing is known."""
        if self._given_up or self.enough:
            return 0.0
        return max(0.0, self.frame_s[0] - _AHEAD_S) if self.known else math.inf

    @property
    def enough(self) -> bool:
        """More trials would add little."""
        if self.trials < FEWEST or self._found is None:
            return False
        return self.trials >= MOST or all(self._sure(edge) for edge in (FIRST_EDGE, LAST_EDGE))

    def _sure(self, edge: float) -> bool:
        assert self._found is not None
        low, high = self._found.interval(edge)
        width = self._found.quantile(LAST_EDGE) - self._found.quantile(FIRST_EDGE)
        return (high - low) / 2 <= max(_WITHIN_S, _WITHIN_SHARE * width)

    # -- what is tried ----------------------------------------------------------------------------

    def next(self, earliest_s: float) -> float | None:
        """Idle seconds at which the next second request is sent; None if no more is sent."""
        if not self.known or self._given_up or self.enough:
            return None
        return max(earliest_s, self._aimed())

    def _aimed(self) -> float:
        assert self._found is not None
        low, high = self.frame_s
        if self._coarse is None:
            step = (high - low) / (COARSE - 1)
            places = [low + step * place for place in range(COARSE)]
            self._random.shuffle(places)
            self._coarse = iter(places)
        for place in self._coarse:
            return place
        aim = next(self._aims)
        if aim is None:  # to see that nothing is lost before the window, and nothing answered after it
            before, behind = self._found.quantile(FIRST_EDGE), self._found.quantile(LAST_EDGE)
            return self._random.uniform(*((low, before) if next(self._sides) else (min(behind, high), high)))
        at = self._found.quantile(aim)
        return at + self._random.uniform(-0.05, 0.05) * (high - low)

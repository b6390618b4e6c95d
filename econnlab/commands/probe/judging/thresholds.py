"""The idle time from which on a second request is lost, estimated as a distribution from all that was seen.

Each connection has a threshold: a request written before it is answered, one written after it is lost. No
connection shows it exactly. If a close was seen after c, the threshold lies at most one round trip earlier,
in (c - r, c]; if a request at i was answered, it is later than i; if a request at i was lost before the end
could be seen, it lies shortly before i. The most likely distribution of such interval-censored values has a
known form (Turnbull 1976, JRSS B 38:290): its mass lies between neighbouring ends of the intervals, and a few
rounds of expectation and maximization find how much lies in each.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from econnlab.attribution.statistics import quantile, wilson
from econnlab.commands.probe.seen import ProbeVisit

#: A close may be seen this much later than a round trip after it: the kernel's time to wake the process.
_SEEN_LATE_S = 0.0001
#: A request that was lost before the end could be seen was written after the threshold by at most the round
#: trip and this: the server may have checked its timers before it checked for input.
_HELD_UP_S = 0.001
_ROUNDS = 200
_RIGHT_BEHIND_S = 0.0001
_ENOUGH_OTHERS = 8
#: Enough for an interval of 95 %, and for each of them.
_DRAWS, _QUICK_ROUNDS = 60, 60
_CLOSE_ENOUGH = 1e-7


@dataclass(frozen=True, slots=True)
class Span:
    """The threshold of one connection lies above ``low`` and not above ``high``, seconds of idle time."""

    low: float
    high: float


def round_trip(visits: Iterable[ProbeVisit]) -> float:
    """The shortest time from a request to the first byte of its response, seconds: a round trip and little
    more. The shortest connect would not do: a balancer or a relay accepts connections by itself."""
    return min((visit.answer_s for visit in visits), default=0.0)


def warm(visits: Sequence[ProbeVisit]) -> list[ProbeVisit]:
    """``visits`` without the one that became idle first, if there are enough others.

    A server that has slept for seconds closes that one first, and only that close comes 3 to 5 ms late (the
    lab server by its ledger, and Node; Linux 6.18 in a virtual machine). With ten connections watched it
    would be a tenth of all closes, and decide where the last twentieth begins.
    """
    first = min((visit.began for visit in visits), default=0.0)
    rest = [visit for visit in visits if visit.asked or visit.began > first]
    return rest if len(rest) >= _ENOUGH_OTHERS else list(visits)


def spans(visits: Iterable[ProbeVisit], round_trip_s: float) -> list[Span]:
    """The range in which the threshold of each visit lies.

    If the response may have ended before it was seen, the idle times may be that much longer.
    A server that answers after its FIN was seen (a half-closed connection) is judged only by trials.
    """
    usable = [visit for visit in visits if visit.exact]
    answered_after = any(visit.seen and visit.asked and not visit.lost for visit in usable)
    closes_tell = any(visit.seen for visit in usable) and not answered_after
    found = []
    for visit in usable:
        if visit.asked and not visit.lost:
            assert visit.idle_s is not None
            found.append(Span(visit.idle_s + visit.late_s, math.inf))
        elif visit.closing is not None and closes_tell:
            closing = visit.closing
            early = round_trip_s + closing.slack_s + _SEEN_LATE_S
            found.append(Span(max(0.0, closing.idle_s - early), closing.idle_s + visit.slack_s))
        elif visit.idle_s is not None:
            low = visit.idle_s - round_trip_s - _HELD_UP_S if closes_tell else 0.0
            found.append(Span(max(0.0, low), visit.idle_s + visit.late_s + visit.slack_s))
    return found


@dataclass(frozen=True)
class Distribution:
    """Shares of connections whose threshold lies in each cell between neighbouring ``ends``."""

    ends: tuple[float, ...]
    #: One fewer than ``ends``; they add up to 1.
    shares: tuple[float, ...]
    connections: int

    def cell(self, share: float) -> tuple[float, float, float]:
        """The ends of the cell in which the quantile lies, and how far into it."""
        below = 0.0
        for low, high, mass in zip(self.ends, self.ends[1:], self.shares, strict=False):
            if mass > 0 and below + mass >= share - _CLOSE_ENOUGH:
                return low, high, min(1.0, max(0.0, (share - below) / mass))
            below += mass
        return self.ends[-1], self.ends[-1], 0.0

    def quantile(self, share: float) -> float:
        """The send time from which on ``share`` of the requests are lost."""
        low, high, inside = self.cell(share)
        return low + (high - low) * inside

    def interval(self, share: float) -> tuple[float, float]:
        """The send times between which the quantile lies, roughly: where the curve crosses Wilson's interval.

        Only half of the connections count, because the others were far from the quantile, or on one side of
        it.
        """
        telling = max(1, self.connections // 2)
        low, high = wilson(round(share * telling), telling)
        return self.quantile(low), self.quantile(high)


def estimate(found: Sequence[Span], rounds: int = _ROUNDS) -> Distribution | None:
    """The most likely distribution of the thresholds; None if no request was lost."""
    if not any(math.isfinite(span.high) for span in found):
        return None
    ends = sorted({end for span in found for end in (span.low, span.high) if math.isfinite(end)})
    # A connection that outlived all others is taken to have ended right behind them (Efron 1967).
    ends.append(ends[-1] + _RIGHT_BEHIND_S)
    cells = len(ends) - 1
    ranges = [
        (
            bisect.bisect_left(ends, span.low),
            cells if math.isinf(span.high) else bisect.bisect_left(ends, span.high),
        )
        for span in found
    ]
    shares = _most_likely(_innermost(ranges, cells), ranges, rounds)
    return Distribution(tuple(ends), tuple(shares), len(found))


def resampled(found: Sequence[Span], shares: Sequence[float]) -> list[tuple[float, float]]:
    """The 95 % intervals of these quantiles, by Efron's bootstrap: estimates for connections drawn anew.

    A quantile may lie anywhere in its cell, so the cell's ends count, and beyond them the time by which a
    close may be seen late.
    """
    draw = random.Random(1)
    cells: list[list[tuple[float, float, float]]] = [[] for _ in shares]
    for _ in range(_DRAWS):
        drawn = estimate(draw.choices(found, k=len(found)), _QUICK_ROUNDS)
        if drawn is not None:
            for share, seen in zip(shares, cells, strict=True):
                seen.append(drawn.cell(share))
    return [
        (
            quantile(sorted(low for low, _, _ in seen), 0.025) - _SEEN_LATE_S,
            quantile(sorted(high for _, high, _ in seen), 0.975) + _SEEN_LATE_S,
        )
        for seen in cells
    ]


def _innermost(ranges: Sequence[tuple[int, int]], cells: int) -> list[float]:
    """Equal shares for the cells that can hold any: those between a low end and the high end next to it."""
    lows, highs = {low for low, _ in ranges}, {high for _, high in ranges}
    possible = [cell in lows and cell + 1 in highs for cell in range(cells)]
    return [each / sum(possible) for each in possible]


def _most_likely(shares: list[float], ranges: Sequence[tuple[int, int]], rounds: int) -> list[float]:
    """Rounds of expectation and maximization, each linear in the number of different spans.

    A cell without a share never gets one: only the others are gone through.
    """
    held = [cell for cell, share in enumerate(shares) if share > 0]
    before = [0, *itertools.accumulate(int(share > 0) for share in shares)]
    spans = Counter((before[low], before[high]) for low, high in ranges)
    parts = [shares[cell] for cell in held]
    for _ in range(rounds):
        improved = _improved(parts, spans, len(ranges))
        moved = max(abs(new - old) for new, old in zip(improved, parts, strict=True))
        parts = improved
        if moved < _CLOSE_ENOUGH:
            break
    found = [0.0] * len(shares)
    for cell, part in zip(held, parts, strict=True):
        found[cell] = part
    return found


def _improved(shares: list[float], spans: Mapping[tuple[int, int], int], count: int) -> list[float]:
    """One round: each span gives its weight to the cells in it, in proportion to their shares."""
    below = [0.0, *itertools.accumulate(shares)]
    weights = [0.0] * (len(shares) + 1)
    for (low, high), times in spans.items():
        inside = below[high] - below[low]
        if inside > 0:
            weights[low] += times / inside
            weights[high] -= times / inside
    return [
        share * weight / count for share, weight in zip(shares, itertools.accumulate(weights), strict=False)
    ]

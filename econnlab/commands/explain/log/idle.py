"""How long a target had been idle when a request to it was lost, and whose default that is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from econnlab.advice.idle import OFF, UNLIMITED
from econnlab.advice.product import Kind, products

_MOST_TARGETS = 10_000
_MOST_LOST = 100_000
_LONGEST_S = 24 * 3600
#: Round trips, whole seconds in a log and a late timer lie within it.
_NEAR_S = 1.0
#: Chance alone puts this many of half of all into one band of two seconds next to never.
_FEWEST = 5
_SHARE = 0.5
#: So many times more often than at other idle times; else the band only shows when requests came.
_TIMES = 5
_MOST_NAMES = 4

#: What a log's target is likely to be first; a client closes nothing towards its clients.
_ORDER = (Kind.SERVER, Kind.PROXY, Kind.BALANCER, Kind.NAT, Kind.CLIENT)

_Band = tuple[float, float, float | None]  # from, until, the known default


@dataclass(frozen=True)
class Finding:
    """Lost requests at one idle time: of ``target``, or of all where it is empty. Times are seconds."""

    target: str
    lost: int  # those whose idle time is known
    within: int  # of them between these two
    from_s: float
    until_s: float
    asked: int  # all requests of the log after such an idle time, lost or not
    timeout_s: float | None  # the known default
    products: tuple[str, ...]  # whose it is


class IdleTimes:
    """The time between the end of a request to a target and the start of the next one, request by request."""

    def __init__(self) -> None:
        self._ended: dict[str, float] = {}
        self._lost: dict[str, list[float]] = {}
        self._asked: Counter[int] = Counter()
        self.timed = 0

    def add(self, target: str, began: float, ended: float, *, lost: bool) -> None:
        """One request; those of a log stand in the order in which they ended."""
        before = self._ended.get(target)
        if before is None:
            if len(self._ended) >= _MOST_TARGETS:
                del self._ended[next(iter(self._ended))]
        elif 0 <= (idle := began - before) < _LONGEST_S:
            self._asked[int(idle)] += 1
            if lost and self.timed < _MOST_LOST:
                self.timed += 1
                self._lost.setdefault(target, []).append(idle)
        if before is None or ended > before:
            self._ended[target] = ended

    def findings(self) -> tuple[Finding, ...]:
        """What stands out: over all targets, then for the three that lost most."""
        every = sorted(idle for some in self._lost.values() for idle in some)
        overall = self._finding("", every)
        if overall is None:
            return ()
        most = sorted(self._lost, key=lambda target: -len(self._lost[target]))[:3]
        each = [self._finding(target, sorted(self._lost[target])) for target in most]
        return (overall, *(finding for finding in each if finding is not None and len(self._lost) > 1))

    def _finding(self, target: str, lost: list[float]) -> Finding | None:
        """The band that holds most of ``lost``, if it holds half and loses far more than other bands do."""
        if len(lost) < _FEWEST:
            return None
        best = max(
            _bands(lost), key=lambda band: (_within(lost, band), band[2] is not None, -_off(lost, band))
        )
        within = _within(lost, best)
        if within < max(_FEWEST, _SHARE * len(lost)):
            return None
        low, high, seconds = best
        asked = sum(count for second, count in self._asked.items() if low - 1 < second <= high)
        if not self._stands_out(within, asked, len(lost), known=seconds is not None):
            return None
        names = _defaults().get(seconds, ()) if seconds is not None else ()
        return Finding(target, len(lost), within, low, high, asked, seconds, names)

    def _stands_out(self, within: int, asked: int, lost: int, *, known: bool) -> bool:
        """Whether far more of the requests after such an idle time were lost than of the others."""
        others = self._asked.total() - asked
        if not others:
            return known  # nothing to compare with
        return within / max(asked, 1) >= _TIMES * (lost - within) / others and asked < others + within


def _bands(lost: list[float]) -> Iterator[_Band]:
    """Around each known default, and around what is usual."""
    for seconds in _defaults():
        if seconds > _NEAR_S:
            yield seconds - _NEAR_S, seconds + _NEAR_S, seconds
    middle = max(2 * _NEAR_S, round(lost[len(lost) // 2]))
    yield middle - _NEAR_S, middle + _NEAR_S, None


def _within(lost: list[float], band: _Band) -> int:
    return sum(band[0] <= idle <= band[1] for idle in lost)


def _off(lost: list[float], band: _Band) -> float:
    middle = (band[0] + band[1]) / 2
    return sum(abs(idle - middle) for idle in lost if band[0] <= idle <= band[1])


@cache
def _defaults() -> dict[float, tuple[str, ...]]:
    """The products that really close an idle connection after so many seconds; servers first."""
    found: dict[float, list[str]] = {}
    for seconds, name in _closing():
        names = found.setdefault(seconds, [])
        if name not in names:
            names.append(name)
    return {seconds: tuple(names[:_MOST_NAMES]) for seconds, names in found.items()}


def _closing() -> Iterator[tuple[float, str]]:
    for product in sorted(products().values(), key=lambda each: (_ORDER.index(each.kind), each.name)):
        for release in product.releases:
            at: Decimal | None = release.closes
            if at not in (None, OFF, UNLIMITED):
                assert at is not None
                yield float((at + release.later_ms) / 1000), product.name

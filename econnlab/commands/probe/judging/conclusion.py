"""What a probe comes to: how the server ends idle connections, which requests that costs, what to set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from econnlab.attribution.statistics import quantile
from econnlab.commands.probe.judging.advice import Setting, limit_s, settings
from econnlab.commands.probe.judging.scan import scan_period_s
from econnlab.commands.probe.judging.search import AT_ONCE_S, FEWEST
from econnlab.commands.probe.judging.thresholds import round_trip
from econnlab.commands.probe.judging.window import Window, window_of
from econnlab.commands.probe.seen import Probed, Visit
from econnlab.record.attempts import Outcome

#: A close this much later or earlier than advertised is worth telling.
_OFF_MS = 20.0
#: Connections that became idle over at least this long, and were closed within a quarter of it: swept up.
_SWEPT_OVER_S, _SWEPT_SHARE = 0.05, 0.25
#: What a silent end may be left between: twice what the passes of a probe narrow it down to.
_WIDE_S, _WIDE_SHARE = 0.01, 0.01
#: Lost so much before the window's first edge, it is no part of the window.
_EARLY_SHARE = 0.05
_ADVERTISED = re.compile(r"(?:^|[\s,;])(timeout|max)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class Ends(StrEnum):
    """How idle connections end."""

    CLOSED = "closed"  # by FIN or RST, which a client can see
    SILENT = "silent"  # without a packet: the next request is lost
    AT_ONCE = "at_once"  # behind each response, which did not say so
    NOT_KEPT = "not_kept"  # behind each response, as HTTP has it
    KEPT = "kept"  # not within what was waited
    UNKNOWN = "unknown"  # the probe ended before it was seen


@dataclass(frozen=True)
class IdleTime:
    """After how long the server closed connections on which nothing was sent, ms."""

    seen: int
    median_ms: float
    low_ms: float
    high_ms: float
    #: ``FIN`` or ``RST``, and how often.
    packets: Counter[str]
    #: What it said before (``close_notify``, ``408``), and how often.
    said: Counter[str]
    #: All were closed at the same moment, however long they had been idle.
    swept: bool
    #: It looks for idle connections so often; None where it does not, or that was not seen.
    scan_ms: float | None


@dataclass(frozen=True)
class Conclusion:
    """The answer to: what does this server really do with an idle connection?"""

    probed: Probed
    ends: Ends
    idle: IdleTime | None
    #: The longest silence after which a request was answered, ms; 0 where none was.
    survived_ms: float
    #: The shortest one after which one was lost, of those that were lost without a sign, ms.
    silent_ms: float | None
    #: How those were lost.
    silent_outcomes: Counter[Outcome]
    #: ``Keep-Alive: timeout=``, ms, and ``max=``.
    advertised_ms: float | None
    advertised_max: int | None
    #: How much later than advertised it closes, where that is no mere lateness; negative: earlier. ms.
    later_ms: float | None
    #: The earliest close of any connection, also of those that were to be asked again, ms.
    earliest_ms: float | None
    connect_ms: float
    #: The shortest time from a request to the first byte of its response: a round trip, or little more.
    round_trip_ms: float
    window: Window | None
    #: A client is to let go of an idle connection after at most this, ms; None: there is nothing to set.
    limit_ms: float | None
    settings: tuple[Setting, ...]
    #: What the probe does not know, and why.
    unknown: tuple[str, ...]


def conclude(probed: Probed) -> Conclusion:
    """Judge what was seen."""
    idle = _idle_time(probed.visits)
    window = None if idle is not None and idle.median_ms < AT_ONCE_S * 1000 else _window(probed)
    silent = [v for v in probed.visits if v.lost and not v.seen and idle is None]
    ends = _ends(probed, idle, bool(silent))
    advertised = dict(_advertised(probed.head.keep_alive))
    advertised_ms = advertised["timeout"] * 1000.0 if "timeout" in advertised else None
    silent_s = min((v.idle_s for v in silent if v.idle_s is not None), default=None)
    survived_s = _survived_s(probed.visits, silent_s)
    round_trip_s = round_trip(probed.visits)
    known_good_s = None if silent_s is None else survived_s
    limit = limit_s(_first_loss_s(idle, window, known_good_s, round_trip_s))
    closes = [v.closing.idle_s for v in probed.visits if v.closing is not None and v.exact]
    return Conclusion(
        probed,
        ends,
        idle,
        survived_s * 1000,
        None if silent_s is None else silent_s * 1000,
        Counter(v.outcome for v in silent if v.outcome is not None),
        advertised_ms,
        advertised.get("max"),
        _later_ms(idle, advertised_ms),
        min(closes) * 1000 if closes else None,
        min((visit.connect_s for visit in probed.visits), default=0.0) * 1000,
        round_trip_s * 1000,
        window,
        None if limit is None else limit * 1000,
        () if limit is None else tuple(settings(limit)),
        (*_unknown(probed, ends, window), *_wide(survived_s, silent_s)),
    )


def _window(probed: Probed) -> Window | None:
    return window_of(probed.visits, round_trip(probed.visits))


def _ends(probed: Probed, idle: IdleTime | None, silent: bool) -> Ends:
    if not probed.head.persistent:
        return Ends.NOT_KEPT
    if idle is not None:
        return Ends.AT_ONCE if idle.median_ms < AT_ONCE_S * 1000 else Ends.CLOSED
    if silent:
        return Ends.SILENT
    return Ends.KEPT if any(visit.asked for visit in probed.visits) else Ends.UNKNOWN


def _idle_time(visits: tuple[Visit, ...]) -> IdleTime | None:
    """From the connections on which nothing was sent: of the others only early closes were seen."""
    closed = [(visit, visit.closing) for visit in visits if visit.closing is not None and not visit.asked]
    if not closed:
        return None
    times = sorted(closing.idle_s * 1000 for _, closing in closed)
    moments = [visit.began + closing.idle_s for visit, closing in closed]
    opened = [visit.began for visit, _ in closed]
    over = max(opened) - min(opened)
    scan_s = scan_period_s(visits)
    swept = over >= _SWEPT_OVER_S and max(moments) - min(moments) < _SWEPT_SHARE * over
    return IdleTime(
        len(times),
        quantile(times, 0.5),
        times[0],
        times[-1],
        Counter(closing.packet for _, closing in closed if closing.packet),
        Counter(closing.said for _, closing in closed if closing.said),
        swept,
        None if scan_s is None else scan_s * 1000,
    )


def _advertised(keep_alive: str | None) -> Iterator[tuple[str, int]]:
    for name, value in _ADVERTISED.findall(keep_alive or ""):
        yield name.lower(), int(value)


def _later_ms(idle: IdleTime | None, advertised_ms: float | None) -> float | None:
    if idle is None or advertised_ms is None:
        return None
    later = idle.median_ms - advertised_ms
    return later if abs(later) >= _OFF_MS else None


def _first_loss_s(
    idle: IdleTime | None, window: Window | None, known_good_s: float | None, round_trip_s: float
) -> float | None:
    """The shortest idle time that may cost requests: T - RTT, or the longest that is known not to."""
    known = [
        *([window.first.at_ms / 1000] if window is not None else []),
        *(
            [idle.low_ms / 1000 - round_trip_s]
            if idle is not None and idle.low_ms >= AT_ONCE_S * 1000
            else []
        ),
        *([known_good_s] if known_good_s is not None else []),
    ]
    return min(known, default=None)


def _survived_s(visits: tuple[Visit, ...], silent_s: float | None) -> float:
    """The longest silence after which a request was answered, of those below the first that cost one."""
    asked = (visit.idle_s for visit in visits if visit.idle_s is not None and not visit.lost)
    return max((idle_s for idle_s in asked if silent_s is None or idle_s < silent_s), default=0.0)


def _wide(survived_s: float, silent_s: float | None) -> Iterator[str]:
    if silent_s is not None and silent_s - survived_s > max(_WIDE_S, _WIDE_SHARE * silent_s):
        yield (
            f"when between {survived_s:.4g} and {silent_s:.4g} s idle connections die: too few requests were "
            "answered to narrow it down"
        )


def _early(probed: Probed, window: Window) -> Iterator[str]:
    """Requests that were lost long before the server's time: once in thousands, on a busy machine."""
    until_s = window.first.low_ms / 1000 * (1 - _EARLY_SHARE)
    early = [v.idle_s + v.late_s for v in probed.visits if v.idle_s is not None and v.lost]
    early = [idle_s for idle_s in early if idle_s < until_s]
    if early:
        yield (
            f"why {len(early)} of the requests before the window were lost, the first after "
            f"{min(early):.4g} s: a server that is held up between looking for requests and looking at its "
            "timers closes on one that came in time (gunicorn's threads do)"
        )


def _unknown(probed: Probed, ends: Ends, window: Window | None) -> Iterator[str]:
    """What is not known, and why."""
    if probed.interrupted:
        yield "it was interrupted: what is not shown was not looked at"
    if probed.throttled:
        yield "the server answered 429 (Too Many Requests), and was left alone from then on"
    if probed.out_of_budget:
        yield f"the budget of {probed.budget} requests was used up before all was tried (--budget)"
    series = probed.series
    if series is not None and series.unfinished:
        yield f"whether a connection takes more than {series.requests} requests: it was not tried"
    crowd = probed.crowd
    if crowd is not None and not crowd.refused and crowd.held < crowd.wanted:
        yield f"whether it takes more than {crowd.held} connections at a time: it was not tried"
    if window is not None and window.trials < FEWEST:
        yield f"the window's edges to the full: they rest on {window.trials} trials of the {FEWEST} wanted"
    if window is not None:
        yield from _early(probed, window)
    if ends is Ends.CLOSED and window is None:
        yield "the race window: too few requests were sent around the close"
    if ends is Ends.UNKNOWN:
        yield "how idle connections end: none was watched to its end"
    if probed.failures:
        counts = ", ".join(f"{each.value} {times}" for each, times in Counter(probed.failures).most_common())
        yield f"why {len(probed.failures)} connections got no first response ({counts}): is the server full?"

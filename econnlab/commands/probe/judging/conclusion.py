"""The conclusion of a probe: how the server ends idle connections, which requests that loses, what to set."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from econnlab.attribution.statistics import quantile
from econnlab.commands.probe.judging.advice import Setting, limit_s, settings
from econnlab.commands.probe.judging.scan import scan_period_s
from econnlab.commands.probe.judging.search import AT_ONCE_S
from econnlab.commands.probe.judging.thresholds import round_trip
from econnlab.commands.probe.judging.window import RaceWindow, window_of
from econnlab.commands.probe.seen import Probed, ProbeVisit
from econnlab.record.attempts import Outcome

#: A close this much later or earlier than advertised is worth reporting.
_OFF_MS = 20.0
#: If connections that became idle over at least this long were all closed within a quarter of it, one sweep
#: closed them.
_SWEPT_OVER_S, _SWEPT_SHARE = 0.05, 0.25
_ADVERTISED = re.compile(r"(?:^|[\s,;])(timeout|max)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class Ends(StrEnum):
    """How idle connections end."""

    CLOSED = "closed"  # by FIN or RST, which a client can see
    SILENT = "silent"  # without a packet: the next request is lost
    AT_ONCE = "at_once"  # right behind each response, which did not announce it
    NOT_KEPT = "not_kept"  # right behind each response, as HTTP has it
    KEPT = "kept"  # not within the time that was waited
    UNKNOWN = "unknown"  # the probe ended before it saw an end


@dataclass(frozen=True)
class IdleTime:
    """After how long the server closed connections on which nothing was sent, ms."""

    seen: int
    median_ms: float
    low_ms: float
    high_ms: float
    #: ``FIN`` or ``RST``, and how often.
    packets: Counter[str]
    #: What it sent before (``close_notify``, ``408``), and how often.
    said: Counter[str]
    #: All were closed at the same moment, however long they had been idle.
    swept: bool
    #: The period in which it looks for idle connections; None if it does not, or that was not seen.
    scan_ms: float | None


@dataclass(frozen=True)
class Conclusion:
    """What the server really does with an idle connection."""

    probed: Probed
    ends: Ends
    idle: IdleTime | None
    #: The longest silence after which a request was answered, ms; 0 if none was.
    survived_ms: float
    #: The shortest silence after which a request was lost without a sign, ms.
    silent_ms: float | None
    #: How those requests were lost.
    silent_outcomes: Counter[Outcome]
    #: ``Keep-Alive: timeout=``, ms, and ``max=``.
    advertised_ms: float | None
    advertised_max: int | None
    #: How much later than advertised it closes, ms, if that is more than chance; negative: earlier.
    later_ms: float | None
    #: The earliest close of any connection, trials included, ms.
    earliest_ms: float | None
    connect_ms: float
    #: The shortest time from a request to the first byte of its response: a round trip, or little more.
    round_trip_ms: float
    window: RaceWindow | None
    #: The longest idle time, ms, that a client should allow; None: there is nothing to set.
    limit_ms: float | None
    settings: tuple[Setting, ...]


def conclude(probed: Probed) -> Conclusion:
    """Judge what was seen."""
    visits = probed.visits
    idle = _idle_time(visits)
    at_once = idle is not None and idle.median_ms < AT_ONCE_S * 1000
    round_trip_s = round_trip(visits)
    window = None if at_once else window_of(visits, round_trip_s)
    silent = [v for v in visits if v.lost and not v.seen and idle is None]
    advertised = {name.lower(): int(n) for name, n in _ADVERTISED.findall(probed.head.keep_alive or "")}
    advertised_ms = advertised["timeout"] * 1000.0 if "timeout" in advertised else None
    silent_s = min((v.idle_s for v in silent if v.idle_s is not None), default=None)
    survived_s = _survived_s(visits, silent_s)
    earliest_s = min((v.closing.idle_s for v in visits if v.closing is not None and v.exact), default=None)
    losses = [
        None if window is None else window.first.at_ms / 1000,
        None if earliest_s is None or at_once else earliest_s - round_trip_s,
        None if silent_s is None else survived_s,
    ]
    # The shortest idle time that may lose a request: T - RTT, or the longest that is known not to.
    limit = limit_s(min((each for each in losses if each is not None), default=None))
    return Conclusion(
        probed,
        _ends(probed, idle, at_once=at_once, silent=bool(silent)),
        idle,
        survived_s * 1000,
        None if silent_s is None else silent_s * 1000,
        Counter(v.outcome for v in silent if v.outcome is not None),
        advertised_ms,
        advertised.get("max"),
        _later_ms(idle, advertised_ms),
        None if earliest_s is None else earliest_s * 1000,
        min((visit.connect_s for visit in visits), default=0.0) * 1000,
        round_trip_s * 1000,
        window,
        None if limit is None else limit * 1000,
        () if limit is None else tuple(settings(limit)),
    )


def _ends(probed: Probed, idle: IdleTime | None, *, at_once: bool, silent: bool) -> Ends:
    if not probed.head.persistent:
        return Ends.NOT_KEPT
    if idle is not None:
        return Ends.AT_ONCE if at_once else Ends.CLOSED
    if silent:
        return Ends.SILENT
    return Ends.KEPT if any(visit.asked for visit in probed.visits) else Ends.UNKNOWN


def _idle_time(visits: tuple[ProbeVisit, ...]) -> IdleTime | None:
    """From the connections on which nothing was sent, because on the others only early closes were seen."""
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


def _later_ms(idle: IdleTime | None, advertised_ms: float | None) -> float | None:
    if idle is None or advertised_ms is None:
        return None
    later = idle.median_ms - advertised_ms
    return later if abs(later) >= _OFF_MS else None


def _survived_s(visits: tuple[ProbeVisit, ...], silent_s: float | None) -> float:
    """The longest silence after which a request was answered, below the first after which one was lost."""
    asked = (visit.idle_s for visit in visits if visit.idle_s is not None and not visit.lost)
    return max((idle_s for idle_s in asked if silent_s is None or idle_s < silent_s), default=0.0)

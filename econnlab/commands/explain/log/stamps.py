"""Times in log lines: a sortable text for the screen, and seconds for idle times. Pure."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

_MONTHS = {name: f"{number:02}" for number, name in enumerate(calendar.month_abbr) if name}
_WITHIN = 300
_HOUR = timedelta(hours=1)
_MOST_HOURS = 1000
#: Longer than any time at the beginning of a line.
_HEAD = 40
_STAMP = re.compile(
    r"""
    (?P<y1>\d{4})[-/](?P<m1>\d\d)[-/](?P<d1>\d\d)[T\s](?P<t1>\d\d:\d\d:\d\d)  # ISO, nginx, CloudFront
  | (?P<d2>\d\d)/(?P<n2>[A-Z][a-z]{2})/(?P<y2>\d{4}):(?P<t2>\d\d:\d\d:\d\d)  # common format, HAProxy
  | (?P<n3>[A-Z][a-z]{2})\s+(?P<d3>\d{1,2})\s(?P<t3>\d\d:\d\d:\d\d)(?:\.\d+\s(?P<y3>\d{4}))? # syslog, httpd
  | \b[IWEF](?P<m4>\d\d)(?P<d4>\d\d)\s(?P<t4>\d\d:\d\d:\d\d)                            # klog
  | (?:ts|time|timestamp|msec)"?[:=]\s*"?(?P<epoch>\d{10})(?!\d{4,9}\b(?<!\d{13}))           # seconds
    """,
    re.VERBOSE,
)


class Stamps:
    """``of`` for each entry of a log. Most begin with their time, so those of one second are read once."""

    def __init__(self) -> None:
        self._head = ""
        self._stamp = ""

    def of(self, text: str) -> str:
        """``2026-11-28 03:00:37`` of the first time in ``text``; ``11-28 ...`` if it has no year."""
        if self._head and text.startswith(self._head):
            return self._stamp
        found = _STAMP.search(text, 0, _WITHIN)
        if found is None:
            return ""
        self._head = text[: found.end()] if found.end() <= _HEAD and not found["epoch"] else ""
        self._stamp = _said(found)
        return self._stamp


def _said(found: re.Match[str]) -> str:
    if found["epoch"]:
        return said(float(found["epoch"]))
    for number in "123":
        if found[f"t{number}"]:
            name = found.groupdict().get(f"n{number}")
            month = _MONTHS.get(name or "") if name else found[f"m{number}"]
            if month is None:
                return ""
            year = found[f"y{number}"]
            day = f"{month}-{int(found[f'd{number}']):02} {found[f't{number}']}"
            return f"{year}-{day}" if year else day
    return f"{found['m4']}-{found['d4']} {found['t4']}"


def hour_of(stamp: str) -> str:
    """The hour of a stamp: ``2026-11-28 03:00``."""
    return f"{stamp[:-6]}:00" if stamp else ""


def every_hour(hours: Iterable[str]) -> list[str]:
    """The hours from the first to the last; only those given if they have no year."""
    given = sorted(hours)
    if not given or len(given[0]) < len("2026-11-28 03:00") or len(given[-1]) != len(given[0]):
        return given
    try:
        first, last = (datetime.strptime(hour, "%Y-%m-%d %H:%M") for hour in (given[0], given[-1]))
    except ValueError:
        return given
    count = int((last - first) / _HOUR) + 1
    since = max(0, count - _MOST_HOURS)
    return [f"{first + number * _HOUR:%Y-%m-%d %H:%M}" for number in range(since, count)]


def said(seconds: float) -> str:
    """Seconds since 1970 as a stamp, in UTC."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""


def seconds_by(pattern: str, length: int) -> Callable[[str], float | None]:
    """A reader of times that begin with ``pattern`` of ``length`` characters; a fraction may follow.

    Zones are ignored: within one log they are one, and only differences count. The last second is kept.
    """
    last: tuple[str, float | None] = ("", None)

    def read(text: str) -> float | None:
        nonlocal last
        head = text[:length]
        if head != last[0]:
            last = (head, _parsed(head, pattern))
        if last[1] is None:
            return None
        rest = text[length : length + 7]
        return last[1] + (float(f"0{rest.rstrip('Z')}") if _is_fraction(rest) else 0.0)

    return read


def _parsed(text: str, pattern: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(text, pattern)))
    except ValueError:
        return None


def _is_fraction(rest: str) -> bool:
    return rest[:1] == "." and rest[1:].rstrip("Z").isdigit()

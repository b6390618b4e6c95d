"""Durations and intervals as people write them, kept as exact decimals of a millisecond."""

import re
from decimal import Decimal

from econnlab.errors import UsageProblem

UNITS = {
    "us": Decimal("0.001"),
    "ms": Decimal(1),
    "s": Decimal(1000),
    "m": Decimal(60_000),
    "h": Decimal(3_600_000),
}
LONGEST_MS = 24 * UNITS["h"]
MOST_INTERVALS = 1000

_NUMBER_AND_UNIT = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(?P<unit>.*)", re.DOTALL)
_SPELLINGS = "a number of milliseconds, or one with a unit: 4990, 4990ms, 4.99s, 2m"


def parse_duration(text: str) -> Decimal:
    """Milliseconds in ``text``: ``4990``, ``4990ms``, ``4.99s``, ``2m``. A bare number is milliseconds.

    Raises UsageProblem for anything else, for a negative one and for more than a day.
    """
    stripped = text.strip()
    if stripped.startswith("-"):
        raise UsageProblem(f"{stripped!r} is negative.", f"Give {_SPELLINGS}.")
    match = _NUMBER_AND_UNIT.fullmatch(stripped)
    if match is None:
        raise UsageProblem(f"{text!r} is not a duration.", f"Give {_SPELLINGS}.")
    unit = match["unit"] or "ms"
    if unit not in UNITS:
        raise UsageProblem(f"{text!r} has the unknown unit {unit!r}.", f"Units are {', '.join(UNITS)}.")
    milliseconds = Decimal(match["number"]) * UNITS[unit]
    if milliseconds > LONGEST_MS:
        raise UsageProblem(f"{text!r} is longer than a day.", f"Give {_SPELLINGS}.")
    return milliseconds


def parse_intervals(text: str) -> tuple[Decimal, ...]:
    """Milliseconds of each interval in a list and/or ranges: ``4900,4950,4980..5000:5``.

    A range ``FIRST..LAST:STEP`` includes LAST if the steps reach it. An interval named twice is
    kept once, at its first place. Raises UsageProblem for an empty, negative, zero-stepped or
    backward range and for more than MOST_INTERVALS of them.
    """
    intervals: dict[Decimal, None] = {}
    for part in text.split(","):
        for interval in _parse_range(part) if ".." in part else [parse_duration(_not_empty(part, text))]:
            intervals[interval] = None
    if len(intervals) > MOST_INTERVALS:
        raise _too_many(text, len(intervals))
    return tuple(intervals)


def _not_empty(part: str, text: str) -> str:
    if not part.strip():
        raise UsageProblem(
            f"{text!r} names an empty interval.", "Give a list (4900,4950) or a range (4900..5000:5)."
        )
    return part


def _parse_range(text: str) -> list[Decimal]:
    first_text, _, rest = text.partition("..")
    last_text, colon, step_text = rest.partition(":")
    if not colon or "..." in text or not first_text.strip() or not last_text.strip() or not step_text.strip():
        raise UsageProblem(f"{text!r} is not a range.", "A range is FIRST..LAST:STEP, as 4900..5000:5.")
    first, last, step = parse_duration(first_text), parse_duration(last_text), parse_duration(step_text)
    if step == 0:
        raise UsageProblem(f"{text!r} has a step of zero.", "Give a step above zero, as 4900..5000:5.")
    if last < first:
        raise UsageProblem(
            f"{text!r} is empty: it ends before it begins.",
            f"Did you mean {last_text}..{first_text}:{step_text}?",
        )
    count = int((last - first) / step) + 1
    if count > MOST_INTERVALS:
        raise _too_many(text, count)
    return [first + step * index for index in range(count)]


def _too_many(text: str, count: int) -> UsageProblem:
    return UsageProblem(
        f"{text!r} names {count} intervals, more than {MOST_INTERVALS}.",
        "Take a larger step or fewer intervals.",
    )


def format_ms(milliseconds: Decimal) -> str:
    """``milliseconds`` without an exponent or trailing zeros: ``4990``, ``0.5``."""
    text = format(milliseconds, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_duration(milliseconds: Decimal) -> str:
    """``milliseconds`` with a unit, as parse_duration reads it: ``4990ms``, ``5s``."""
    if milliseconds and milliseconds % 1000 == 0:
        return f"{format_ms(milliseconds / 1000)}s"
    return f"{format_ms(milliseconds)}ms"


def seconds(milliseconds: Decimal) -> float:
    """``milliseconds`` as the seconds that clocks and timers take."""
    return float(milliseconds / 1000)

"""Idle times as people write them: a duration, ``off`` for no keep-alive, ``unlimited`` for no limit."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from econnlab.errors import UsageProblem
from econnlab.scenario.durations import format_ms, parse_duration

#: A connection is closed after each response, or never used again.
OFF = Decimal(0)
#: An idle connection is kept until somebody else ends it.
UNLIMITED = Decimal("Infinity")
_WORDS = {"off": OFF, "unlimited": UNLIMITED}
_EXPECTED = (
    "Give a time (75s, 4990), off where connections are not reused, unlimited where nothing ends them."
)


def parse_idle(text: str) -> Decimal:
    """The idle time in ``text``, in milliseconds: a duration, ``off`` (OFF) or ``unlimited`` (UNLIMITED).

    Raises UsageProblem. A zero is refused: to nginx it means off, to Node unlimited.
    """
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    try:
        milliseconds = parse_duration(text)
    except UsageProblem as problem:
        raise UsageProblem(problem.message, _EXPECTED) from problem
    if not milliseconds:
        raise UsageProblem(f"{text!r} may mean no keep-alive (nginx) or no limit (Node).", _EXPECTED)
    return milliseconds


def said(milliseconds: Decimal) -> str:
    """``4.999 s``, ``off``, ``unlimited``; below a second ``250 ms``."""
    for word, value in _WORDS.items():
        if milliseconds == value:
            return word
    if milliseconds < 1000:
        return f"{format_ms(milliseconds)} ms"
    return f"{format_ms(milliseconds / 1000)} s"


def spelled(milliseconds: Decimal) -> str:
    """``milliseconds`` as parse_idle reads it."""
    return said(milliseconds).replace(" ", "")


def next_second(milliseconds: Decimal) -> Decimal:
    """The whole second at or above: many servers take nothing finer."""
    return (milliseconds / 1000).to_integral_value(ROUND_CEILING) * 1000


def last_second(milliseconds: Decimal) -> Decimal:
    """The whole second at or below; below one second the tenth, below a tenth OFF."""
    unit = 1000 if milliseconds >= 1000 else 100
    return max(OFF, (milliseconds / unit).to_integral_value(ROUND_FLOOR) * unit)

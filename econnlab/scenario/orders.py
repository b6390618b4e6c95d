"""Commands for a running link: ``idle-drop 2s rst``, ``reset 3``. Text in, values out. Pure.

Lines on stdin and keys of the HTTP interface's JSON use the same words.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless
from econnlab.scenario.durations import format_duration, parse_duration
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Middlebox
from econnlab.scenario.treatment import ConnectionLimit, Counted, ResetAfter, Treatment, WhenFull

OFF = "off"
#: JSON readers keep whole numbers exact up to here (RFC 8259 section 6).
MOST = 1 << 53
LONGEST_LINE = 1000
HELP = """\
delay LINK                   wan, 40ms~0.2, or one for each direction: 2ms/40ms~0.1; off
idle-drop TIME [silent|rst]  forget connections idle for TIME; their next packet is dropped, or reset; off
reset-after N [to-client|to-server|both]   reset each connection N bytes from now; off
limit N [close|reset|queue]  connections at a time, and what happens to one more; off
fail-first N                 reset the next N connections, then no more; off
reset [N]                    reset every connection now, or number N
pause [N], resume [N]        hold the bytes of every connection, or of number N
status                       what is set, and which connections there are
help                         this"""


@dataclass(frozen=True)
class Change:
    """New values of some of Treatment's fields. They take effect together."""

    values: dict[str, Any]

    def applied_to(self, treatment: Treatment) -> Treatment:
        """``treatment`` with these values."""
        return dataclasses.replace(treatment, **self.values)


class Act(StrEnum):
    """An action, done once and at once."""

    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True)
class Do:
    """An act on the connection of this number, or on all."""

    act: Act
    connection: int | None = None


class Ask(StrEnum):
    """A question."""

    STATUS = "status"
    HELP = "help"


Order = Change | Do | Ask


def parse_order(line: str) -> Order:
    """The order in ``line``. Raises UsageProblem in one sentence."""
    if len(line) > LONGEST_LINE:
        raise UsageProblem(f"A line has at most {LONGEST_LINE} characters.")
    verb, *words = line.split()[:20] or [""]
    if verb in _SETTINGS:
        return Change(_SETTINGS[verb](words))
    if verb in tuple(Act):
        number = _only(words, f"{verb} takes the number of a connection, or nothing") if words else None
        return Do(Act(verb), None if number is None else _whole(number, 1))
    if verb in tuple(Ask):
        if words:
            raise UsageProblem(f"{verb} takes no words.")
        return Ask(verb)
    raise UsageProblem(f"{_quoted(verb)} is not one of {', '.join([*_SETTINGS, *Act, *Ask])}.")


def parse_settings(settings: Any) -> Change:
    """The change in a JSON object whose keys are the verbs that set something: ``{"delay": "40ms~0.2"}``.

    A value is the verb's words as text, or a number; null and false mean ``off``. Raises UsageProblem, and
    then nothing changes.
    """
    if not isinstance(settings, dict) or not settings:
        raise UsageProblem(f"Give a JSON object with some of {', '.join(_SETTINGS)}.")
    values: dict[str, Any] = {}
    for verb, value in settings.items():
        if verb not in _SETTINGS:
            raise UsageProblem(f"{_quoted(verb)} is not one of {', '.join(_SETTINGS)}.")
        values |= _SETTINGS[verb](_words(verb, value))
    return Change(values)


def _words(verb: str, value: Any) -> list[str]:
    if value is None or value is False:
        return [OFF]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageProblem(f"{verb} takes text, a number or null.")
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    if len(text) > LONGEST_LINE:
        raise UsageProblem(f"{verb} takes at most {LONGEST_LINE} characters.")
    return text.split()[:20]


def spelled(treatment: Treatment) -> dict[str, str | int | None]:
    """``treatment`` as parse_settings reads it."""
    drop, reset, limit = treatment.idle_drop, treatment.reset_after, treatment.limit
    how = "rst" if drop is not None and drop.rst else "silent"
    return {
        "delay": treatment.delay.spelled,
        "idle-drop": None if drop is None else f"{format_duration(drop.idle_timeout_ms)} {how}",
        "reset-after": None if reset is None else f"{reset.size} {reset.counted}",
        "limit": None if limit is None else f"{limit.connections} {limit.when_full}",
        "fail-first": treatment.fail_first,
    }


# -- what each verb takes ---------------------------------------------------------------------------


def _delay(words: list[str]) -> dict[str, Any]:
    text = _only(words, "delay takes one link, as wan or 40ms~0.2, or off")
    return {"delay": parse_link("0ms" if text in (OFF, "none") else text)}


def _idle_drop(words: list[str]) -> dict[str, Any]:
    usage = "idle-drop takes a time, and silent or rst, as 2s rst; or off"
    if words == [OFF]:
        return {"idle_drop": None}
    time, how = _one_or_two(words, usage)
    if how not in (None, "silent", "rst"):
        raise UsageProblem(f"{_quoted(how)} is neither silent nor rst.")
    return {"idle_drop": idle_drop(parse_duration(time), how == "rst")}


def idle_drop(after_ms: Decimal, rst: bool) -> Middlebox:
    """A middlebox that forgets connections idle for this long. Raises UsageProblem for 0."""
    if not after_ms:
        raise UsageProblem("Every connection is idle for 0 ms; give idle-drop a time above 0, as 2s.")
    return Middlebox(after_ms, rst)


def _reset_after(words: list[str]) -> dict[str, Any]:
    if words == [OFF]:
        return {"reset_after": None}
    size, counted = _one_or_two(words, "reset-after takes bytes, and whose, as 1000 to-client; or off")
    return {"reset_after": ResetAfter(_whole(size, 1), _choice(Counted, counted) or Counted.TO_CLIENT)}


def _limit(words: list[str]) -> dict[str, Any]:
    if words == [OFF]:
        return {"limit": None}
    count, when_full = _one_or_two(
        words, "limit takes a number, and close, reset or queue, as 5 reset; or off"
    )
    return {"limit": ConnectionLimit(_whole(count, 1), _choice(WhenFull, when_full) or WhenFull.CLOSE)}


def _fail_first(words: list[str]) -> dict[str, Any]:
    text = _only(words, "fail-first takes a number of connections, or off")
    return {"fail_first": 0 if text == OFF else _whole(text, 0)}


_SETTINGS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "delay": _delay,
    "idle-drop": _idle_drop,
    "reset-after": _reset_after,
    "limit": _limit,
    "fail-first": _fail_first,
}


def _only(words: list[str], usage: str) -> str:
    if len(words) != 1:
        raise UsageProblem(f"{usage}.")
    return words[0]


def _one_or_two(words: list[str], usage: str) -> tuple[str, str | None]:
    if len(words) not in (1, 2):
        raise UsageProblem(f"{usage}.")
    return words[0], words[1] if len(words) == 2 else None


def _whole(text: str, least: int) -> int:
    # Not int(): it also takes 1_000, +5 and the digits of other scripts.
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or not least <= int(text) <= MOST:
        raise UsageProblem(f"{_quoted(text)} is not a whole number from {least}.")
    return int(text)


C = TypeVar("C", bound=StrEnum)


def _choice(kind: type[C], text: str | None) -> C | None:
    if text is None:
        return None
    if text not in tuple(kind):
        raise UsageProblem(f"{_quoted(text)} is not one of {', '.join(kind)}.")
    return kind(text)


def _quoted(text: str | None) -> str:
    text = str(text)
    return f"'{harmless(text if len(text) <= 40 else text[:40] + '...')}'"

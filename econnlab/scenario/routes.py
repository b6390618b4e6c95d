"""Routes of the lab server as one line: ``/slow delay=2s``, ``/down status=503``. Pure."""

import shlex
from decimal import Decimal
from typing import Any

from econnlab.errors import UsageProblem, did_you_mean
from econnlab.scenario.durations import parse_duration
from econnlab.scenario.server import Ending, Fault, Route, Stage

_KEYS = ("status", "body", "type", "delay", "fault")
_WRITE_IT = "Write it as '/orders status=503 delay=2s body=TEXT type=TEXT fault=processed:rst'."


def parse_route(text: str) -> Route:
    """The route in ``text``: a path, then words ``KEY=VALUE``. Raises UsageProblem."""
    try:
        path, *words = shlex.split(text)
    except ValueError as error:  # an open quotation, or nothing at all
        raise UsageProblem(f"{text!r} is not a route.", _WRITE_IT) from error
    return Route(path, **_values(words))


def _values(words: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in _KEYS:
            raise UsageProblem(f"{word!r} says nothing of a route.", did_you_mean(key, _KEYS) or _WRITE_IT)
        if key == "type":
            key = "content_type"
        values |= {"delay_ms": parse_duration(value)} if key == "delay" else {key: _value(key, value)}
    return values


def _value(key: str, text: str) -> int | str | Fault | Decimal:
    if key == "status":
        if not text.isascii() or not text.isdigit() or len(text) != 3:
            raise UsageProblem(f"{text!r} is not a status.", "Give 200, or an error from 400 to 599.")
        return int(text)
    return _fault(text) if key == "fault" else text


def _fault(text: str) -> Fault:
    at, colon, by = text.partition(":")
    try:
        return Fault(Stage(at), Ending(by) if colon else Ending.FIN)
    except ValueError:
        stages = ", ".join(stage.value for stage in Stage if stage not in (Stage.HANDSHAKE, Stage.UNREAD))
        raise UsageProblem(
            f"{text!r} is not a fault.", f"Give one of {stages}; then :fin, :rst, :kill or :nothing."
        ) from None

"""Scenarios as TOML, the way people write them: durations with their unit, ranges, the link by name.

A key is a field of the dataclass without its ``_ms``: ``keepalive_timeout = "5s"`` or ``= 5000``.
"""

from __future__ import annotations

import tomllib
import typing
from dataclasses import is_dataclass
from typing import Any

from econnlab.errors import UsageProblem
from econnlab.scenario.codec import decode, encode, join
from econnlab.scenario.durations import parse_duration, parse_intervals
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Scenario

_SUFFIX = "_ms"


def read_scenario(text: str, name: str, where: str) -> Scenario:
    """The scenario called ``name`` in ``text``, the content of the file ``where``.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    try:
        data = tomllib.loads(text)
        if "name" in data:
            raise UsageProblem("name: a scenario is called after its file.", "Leave it out.")
        return decode(Scenario, {**_plain(Scenario, data, ""), "name": name})
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


def _plain(kind: Any, table: Any, where: str) -> Any:
    """``table`` with the keys and values that the codec knows."""
    if not isinstance(table, dict):
        return table  # the codec says what was expected
    hints = typing.get_type_hints(kind)
    known = sorted(name.removesuffix(_SUFFIX) for name in hints)
    plain = {}
    for key, value in table.items():
        here = join(where, key)
        if key not in known:
            raise UsageProblem(f"{here}: there is no such key.", f"Known here are {', '.join(known)}.")
        if key + _SUFFIX in hints:
            plain[key + _SUFFIX] = _in_ms(key, value, here)
        elif key == "link":
            plain[key] = encode(_said(here, parse_link, value, "text, as article or 2ms~0.5"))
        else:
            inner = next(
                (each for each in (hints[key], *typing.get_args(hints[key])) if is_dataclass(each)), None
            )
            plain[key] = value if inner is None else _plain(inner, value, here)
    return plain


def _in_ms(key: str, value: Any, where: str) -> Any:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if key == "intervals":
        return [
            str(each) for each in _said(where, parse_intervals, text, "text, as 4900,4950 or 4900..5000:5")
        ]
    return str(_said(where, parse_duration, text, "a duration, as 5000 or 5s"))


def _said(where: str, parse: Any, value: Any, expected: str) -> Any:
    if not isinstance(value, str):
        raise UsageProblem(f"{where}: expected {expected}, found {value!r}.")
    try:
        return parse(value)
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem

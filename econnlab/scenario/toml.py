"""Scenarios as TOML, the way people write them: durations with their unit, ranges, the link by name.

A key is a field of the dataclass without its ``_ms``: ``keepalive_timeout = "5s"`` or ``= 5000``.
"""

import json
import tomllib
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from econnlab.errors import UsageProblem, did_you_mean
from econnlab.plaintext import without_passwords
from econnlab.scenario.codec import current, decode, encode, join
from econnlab.scenario.durations import format_duration, parse_duration, parse_intervals
from econnlab.scenario.expect import Count, parse_count
from econnlab.scenario.links import LinkSpec, parse_link
from econnlab.scenario.model import Scenario

_SUFFIX = "_ms"
_NOT_IN_FILES = {"name"}
_ALWAYS = {"server", "plan", "keepalive_timeout_ms", "link", "kind"}


# -- reading --------------------------------------------------------------------------------------


def read_scenario(text: str, name: str, where: str) -> Scenario:
    """The scenario called ``name`` in ``text``, the content of the file ``where``.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a whole number of more digits than int() takes
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    except RecursionError as error:
        raise UsageProblem(f"{where}: its arrays or tables are nested too deeply.") from error
    return make_scenario(data, name, where)


def make_scenario(data: dict[str, Any], name: str, where: str) -> Scenario:
    """The scenario called ``name`` of ``data``, the tables of the file or other source ``where``.

    Raises UsageProblem naming ``where``, the key and what was expected there.
    """
    try:
        if "name" in data:
            raise UsageProblem("name: a scenario is called after its file.", "Leave it out.")
        plain = _plain(Scenario, data, "")
        if "url" in plain and "server" not in plain:
            plain["server"] = None
        return decode(Scenario, {**plain, "name": name})
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


def _plain(kind: Any, value: Any, where: str) -> Any:
    """``value`` as in a file, converted to what the codec reads for ``kind``."""
    kind = _required(kind)
    if kind is LinkSpec:
        return encode(_said(where, parse_link, value, "text, as article or 2ms~0.5"))
    if kind is Count:
        text = str(value) if type(value) is int else value
        return encode(_said(where, parse_count, text, "a count, as 10, 8..12 or 5.."))
    if is_dataclass(kind):
        return _plain_table(kind, value, where) if isinstance(value, dict) else value
    if typing.get_origin(kind) is dict and isinstance(value, dict):
        inner = typing.get_args(kind)[1]
        return {key: _plain(inner, item, join(where, key)) for key, item in value.items()}
    if _is_tables(kind) and isinstance(value, list):
        inner = typing.get_args(kind)[0]
        return [_plain(inner, item, f"{where}[{index}]") for index, item in enumerate(value)]
    if kind is str and type(value) is int:
        return str(value)  # a kernel setting
    return value


def _plain_table(kind: Any, table: dict[str, Any], where: str) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    known = sorted(field.name.removesuffix(_SUFFIX) for field in fields(kind))
    plain = {}
    for key, value in current(kind, table, _SUFFIX).items():
        here = join(where, key)
        if key not in known:
            raise UsageProblem(f"{here}: there is no such key.", did_you_mean(key, known))
        if key + _SUFFIX in hints:
            plain[key + _SUFFIX] = _in_ms(key, value, here)
        else:
            plain[key] = _plain(hints[key], value, here)
    return plain


def _is_tables(kind: Any) -> bool:
    """A tuple of dataclasses, which a file has as an array of tables."""
    return typing.get_origin(kind) is tuple and is_dataclass(typing.get_args(kind)[0])


def _required(kind: Any) -> Any:
    """``kind`` without ``| None``."""
    if isinstance(kind, types.UnionType):
        return next(each for each in typing.get_args(kind) if each is not types.NoneType)
    return kind


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


# -- writing --------------------------------------------------------------------------------------


def write_scenario(scenario: Scenario) -> str:
    """``scenario`` as a file that read_scenario reads as the very same, but for its name and passwords.

    Defaults are left out, except for the plan and the keep-alive timeout, which say what would run.
    """
    return without_passwords("\n".join(_table(scenario, "")).strip("\n")) + "\n"


def _table(value: Any, path: str) -> Iterator[str]:
    """The lines of a dataclass: its own keys first, then its tables. What is None has no key."""
    tables: list[tuple[str, Any]] = []
    for field in fields(value):
        item = getattr(value, field.name)
        if item is None or field.name in _NOT_IN_FILES:
            continue
        if item == field.default and field.name not in _ALWAYS and path != "plan":
            continue
        if isinstance(item, dict) or (is_dataclass(item) and not isinstance(item, LinkSpec | Count)):
            tables.append((f"{path}.{field.name}".lstrip("."), item))
        elif isinstance(item, tuple) and is_dataclass(item[0]):
            tables += [(f"{path}.{field.name}".lstrip("."), (each,)) for each in item]
        else:
            yield f"{field.name.removesuffix(_SUFFIX)} = {_written(field.name, item)}"
    for name, item in tables:
        yield ""
        yield f"[[{name}]]" if isinstance(item, tuple) else f"[{name}]"
        if isinstance(item, tuple):
            yield from _table(item[0], name)
        elif isinstance(item, dict):
            yield from (f"{_one_line(key)} = {_written(key, each)}" for key, each in item.items())
        else:
            yield from _table(item, name)


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool | int) or (isinstance(value, Count) and value.low == value.high):
        return str(value).lower()
    if isinstance(value, LinkSpec):
        text = value.spelled
    elif isinstance(value, tuple):
        text = ",".join(format_duration(each) for each in value)
    elif isinstance(value, Decimal) and name.endswith(_SUFFIX):
        text = format_duration(value)
    else:
        text = str(value)
    return _quoted(text)


def _quoted(text: str) -> str:
    lines = text.split("\n")
    if len(lines) > 1 and all(line.isprintable() for line in lines) and not set(text) & {'"', "\\"}:
        return f'"""\n{text}"""'
    return _one_line(text)


def _one_line(text: str) -> str:
    # JSON's escapes are TOML's, but for a DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

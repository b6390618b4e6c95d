"""Dataclasses to and from plain JSON: field names as keys, decimals as strings to stay exact."""

import math
import sys
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from econnlab.errors import UsageProblem, did_you_mean

T = TypeVar("T")
_EXPECTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def encode(value: Any) -> Any:
    """``value`` (a dataclass, tuple or scalar) as what the json module writes."""
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return str(value) if isinstance(value, Decimal) else value


def decode(kind: type[T], data: Any, where: str = "") -> T:
    """The ``kind`` that ``data`` encodes; keys left out take their defaults.

    Raises UsageProblem naming the place (``plan.sessions``) and what was expected there.
    """
    decoded: T = _decode(kind, data, where)
    return decoded


def decode_known(kind: type[T], data: Any, where: str = "") -> T:
    """``decode``, leaving out keys that are not known: those of a later version."""
    if isinstance(data, dict):
        hints: Any = _hints(cast(Any, kind))
        data = {key: value for key, value in data.items() if key in hints}
    return decode(kind, data, where)


def _decode(kind: Any, data: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _decode_dataclass(kind, data, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType or origin is typing.Union:
        if data is None:
            return None
        return _decode(next(each for each in arguments if each is not types.NoneType), data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise _wrong(where, "a list", data)
        return tuple(_decode(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(data))
    if origin is dict:
        if not isinstance(data, dict):
            raise _wrong(where, "a table of keys", data)
        return {str(key): _decode(arguments[1], item, join(where, key)) for key, item in data.items()}
    if kind is Any:
        return data
    if kind is Decimal:
        return _decode_decimal(data, where)
    if kind is float and type(data) is int and abs(data) <= sys.float_info.max:
        return float(data)
    if issubclass(kind, Enum):
        return _decode_enum(kind, data, where)
    if type(data) is not kind or (kind is float and not math.isfinite(data)):
        raise _wrong(where, _EXPECTED[kind], data)
    return data


def _decode_dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise _wrong(where, "a table of keys", data)
    hints = _hints(kind)
    data = current(kind, data)
    unknown = sorted(data.keys() - hints.keys())
    if unknown:
        raise UsageProblem(
            f"{join(where, unknown[0])}: there is no such key.",
            did_you_mean(unknown[0], sorted(hints)),
        )
    values = {key: _decode(hints[key], item, join(where, key)) for key, item in data.items()}
    missing = sorted(field.name for field in fields(kind) if _is_required(field) and field.name not in values)
    if missing:
        raise UsageProblem(f"{join(where, missing[0])}: it is missing.")
    try:
        return kind(**values)
    except UsageProblem as problem:  # its keys contradict each other
        raise UsageProblem(
            f"{where}: {problem.message}" if where else problem.message, problem.hint
        ) from problem


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _decode_enum(kind: type[Enum], data: Any, where: str) -> Enum:
    try:
        return kind(data)
    except ValueError:
        raise _wrong(where, f"one of {', '.join(str(member.value) for member in kind)}", data) from None


def _decode_decimal(data: Any, where: str) -> Decimal:
    try:
        number = Decimal(data) if isinstance(data, str | int) and not isinstance(data, bool) else None
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite():
        raise _wrong(where, "a decimal number", data)
    return number


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def current(kind: Any, data: dict[str, Any], suffix: str = "") -> dict[str, Any]:
    """``data`` with the keys that ``kind`` has renamed since (``RENAMED``); they end without ``suffix``."""
    renamed: dict[str, str] = getattr(kind, "RENAMED", {})
    names = {old.removesuffix(suffix): new.removesuffix(suffix) for old, new in renamed.items()}
    return {names.get(key, key): item for key, item in data.items()}


def join(where: str, key: str) -> str:
    """The place ``key`` inside ``where``: ``plan.sessions``."""
    return f"{where}.{key}" if where else key


def _wrong(where: str, expected: str, data: Any) -> UsageProblem:
    return UsageProblem(f"{where or 'the file'}: expected {expected}, found {data!r}.")

"""An access log's format from its own string: nginx's ``log_format``, or Envoy's format string. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from econnlab.commands.explain.log.access import Access, Format, Reader
from econnlab.commands.explain.log.stamps import seconds_by
from econnlab.errors import UsageProblem

_VARIABLE = re.compile(r"\$\{?(?P<nginx>\w+)\}?|%(?P<envoy>[A-Z_0-9]+)(?:\([^)]*\))?(?::\d+)?%")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
#: Of one meaning in both languages, each under nginx's name.
_ENVOY = {
    "RESPONSE_CODE": "status",
    "RESPONSE_FLAGS": "flags",
    "RESPONSE_CODE_DETAILS": "details",
    "UPSTREAM_HOST": "upstream_addr",
    "DURATION": "took_ms",
    "START_TIME": "began_iso",
}
_READ = {
    *_ENVOY.values(), "msec", "time_iso8601", "time_local", "request_time",
    "upstream_status", "upstream_header_time",
}  # fmt: skip
#: "a, b : c" where one request was tried on several.
_LIST = r"(?:[^\s,]+(?:, | : ))*[^\s,]+"
_FAILED = frozenset(("499", "408"))
#: Who gives no $request_time gets the end of the request for its beginning.
_UNKNOWN_S = 0.0


@dataclass(frozen=True)
class _Shape:
    """The expression of a format string, and the place of each variable that is read."""

    pattern: re.Pattern[str]
    names: tuple[str, ...]


def by_directive(text: str, name: str = "the given format") -> Format:
    """The format that ``text`` describes: ``log_format NAME '...';``, or the string alone.

    Raises UsageProblem if it has no status.
    """
    shape = _shape(_string(text))
    if "status" not in shape.names:
        raise UsageProblem(
            "The format has no $status.", "Give nginx's log_format, or Envoy's format string, whole."
        )
    reader = _envoy(shape) if "flags" in shape.names else _nginx(shape)
    return Format(name, reader, _explained(shape, reader), has_targets="upstream_addr" in shape.names)


def _string(text: str) -> str:
    """The string of a directive: its quoted parts joined, as nginx does."""
    directive = re.match(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?", text)
    if directive is None:
        return text.strip()
    parts = _QUOTED.findall(text, directive.end())
    return re.sub(r"\\(.)", r"\1", "".join(one or other for one, other in parts))


def _shape(text: str) -> _Shape:
    pattern, names, end = "", [], 0
    for found in _VARIABLE.finditer(text):
        pattern += re.escape(text[end : found.start()])
        end = found.end()
        name = found["nginx"] or _ENVOY.get(found["envoy"], "")
        value = _value(name, text[end : end + 1])
        if name in _READ and name not in names:
            names.append(name)
            pattern += f"({value})"
        else:
            pattern += f"(?:{value})"
    if not names:
        raise UsageProblem(
            "The format has no $variables.", "Quote it for the shell: --format '$remote_addr ...'."
        )
    return _Shape(re.compile(pattern + re.escape(text[end:].rstrip())), tuple(names))


def _value(name: str, follows: str) -> str:
    if name.startswith("upstream_") and follows != '"':
        return _LIST
    return f"[^{re.escape(follows)}]*" if follows else ".*"


def _nginx(shape: _Shape) -> Reader:
    place = {name: number for number, name in enumerate(shape.names)}
    ended, took = _clock(place), place.get("request_time")
    addresses, statuses = place.get("upstream_addr"), place.get("upstream_status")
    status = place["status"]

    def read(line: str) -> Access | None:
        found = shape.pattern.match(line)
        if found is None:
            return None
        values = found.groups()
        at = ended(values)
        began = None if at is None else at - (_number(values[took]) if took is not None else _UNKNOWN_S)
        given = values[status]
        target = values[addresses] if addresses is not None else ""
        answered = values[statuses] if statuses is not None else given
        lost, target = _tried(target, answered)
        failed = lost or given[:1] == "5" or given in _FAILED
        return Access(began, at, target, f"{given} {answered}" if failed else "", lost)

    return read


def _tried(addresses: str, statuses: str) -> tuple[bool, str]:
    """Whether a try ended without an answer, which nginx logs as 502, and on which server: else the last."""
    if "," not in addresses and " " not in addresses:
        return statuses == "502", addresses if addresses != "-" else ""
    servers, answers = re.split(r", | : ", addresses), re.split(r", | : ", statuses)
    for server, answer in zip(servers, answers, strict=False):
        if answer == "502":
            return True, server
    return False, servers[-1]


def _clock(place: dict[str, int]) -> Callable[[tuple[str, ...]], float | None]:
    """What reads the time at which the line was written; the finest there is."""
    if "msec" in place:
        return lambda values: _number(values[place["msec"]]) or None
    for name, pattern, length in (
        ("time_iso8601", "%Y-%m-%dT%H:%M:%S", 19),
        ("time_local", "%d/%b/%Y:%H:%M:%S", 20),
    ):
        if name in place:
            seconds, at = seconds_by(pattern, length), place[name]
            return lambda values: seconds(values[at])
    return lambda _: None


def _envoy(shape: _Shape) -> Reader:
    place = {name: number for number, name in enumerate(shape.names)}
    seconds = seconds_by("%Y-%m-%dT%H:%M:%S", 19)

    def value(values: tuple[str, ...], name: str) -> str:
        return values[place[name]] if name in place else ""

    def read(line: str) -> Access | None:
        found = shape.pattern.match(line)
        if found is None:
            return None
        values = found.groups()
        began = seconds(value(values, "began_iso")) if "began_iso" in place else None
        ended = None if began is None else began + _number(value(values, "took_ms")) / 1000
        flags, target = value(values, "flags"), value(values, "upstream_addr").replace("-", "", 1)
        kind = "" if flags == "-" else f"{value(values, 'status')} {flags} {value(values, 'details')}"
        lost = any(flag in ("UC", "UR", "URX") for flag in flags.split(","))
        return Access(began, ended, value(values, "upstream_addr") if target else "", kind, lost)

    return read


def _explained(shape: _Shape, read: Reader) -> Callable[[str], str]:
    """A failed line in a shape that ``explain`` knows: its status, or its flags and details."""

    def explained(line: str) -> str:
        access, found = read(line), shape.pattern.match(line)
        if access is None or found is None:
            return line
        values = dict(zip(shape.names, found.groups(), strict=True))
        if "flags" in values:
            return (
                f'[2000-01-01T00:00:00.000Z] "GET / HTTP/1.1" {values["status"]} {values["flags"]} '
                f'{values.get("details") or "-"} - "-" 0 0 0 - "-" "-" "-" "-" "{access.target or "-"}"'
            )
        status = values["status"] if values["status"][:1] in "45" else "502"
        return f'10.0.0.0 - - [01/Jan/2000:00:00:00 +0000] "GET / HTTP/1.1" {status} 0 "-" "-"'

    return explained


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0

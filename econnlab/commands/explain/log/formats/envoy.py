"""Envoy's default access log, and Istio's, which puts the details behind the flags."""

from __future__ import annotations

import re

from econnlab.commands.explain.log.access import Access, Format
from econnlab.commands.explain.log.stamps import seconds_by

NAME = "envoy"
HELP = "Envoy's default format, and Istio's"

#: envoyproxy.io, access log, default format string; istio.io, mesh config accessLogFormat.
_LINE = re.compile(
    r'\[(\d{4}-[^\]]+)\] "[^"]*" (\d{1,3}) (\S+) (?:(?P<details>[a-z]\S*|-) \S+ "[^"]*" )?'
    r'\d+ \d+ (\d+|-) \S+ "[^"]*" "[^"]*" "[^"]*" "[^"]*" "([^"]*)"'
)
_LOST = ("UC", "UR", "URX")


def reader() -> Format:
    """The format. UC is the end of the upstream's connection (envoyproxy.io, %RESPONSE_FLAGS%)."""
    seconds = seconds_by("%Y-%m-%dT%H:%M:%S", len("2026-11-28T03:00:37"))

    def read(line: str) -> Access | None:
        found = _LINE.search(line)
        if found is None:
            return None
        when, status, flags, details, took, target = found.groups()
        began = seconds(when)
        ended = None if began is None or took == "-" else began + int(took) / 1000
        healthy = flags == "-" and (details in (None, "-") or details.startswith("via_upstream"))
        kind = "" if healthy else f"{status} {flags} {details}"
        lost = any(flag in _LOST for flag in flags.split(","))
        return Access(began, ended, "" if target == "-" else target, kind, lost)

    return Format(NAME, read)

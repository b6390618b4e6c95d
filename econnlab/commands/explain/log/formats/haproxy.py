"""HAProxy's HTTP log: date, backend/server, five timers, status, four flags (configuration.txt 8.2.3)."""

from __future__ import annotations

import re

from econnlab.commands.explain.log.access import Access, Format
from econnlab.commands.explain.log.stamps import seconds_by

NAME = "haproxy"
HELP = "HAProxy's option httplog"

_LINE = re.compile(
    r" \[(\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8}[.\d]*)\] \S+ ([^ /]+)/(\S+) "
    r"\+?-?\d+/-?\d+/-?\d+/-?\d+/\+?(\d+) (-?\d+) \+?\d+ \S+ \S+ ([\w-]{4}) "
)
_NO_SERVER = ("<NOSRV>", "<STATS>", "-")


def reader() -> Format:
    """The format. ``S`` is the server's end, and ``H`` the wait for its answer: SH is a lost request."""
    seconds = seconds_by("%d/%b/%Y:%H:%M:%S", len("28/Nov/2026:12:14:14"))

    def read(line: str) -> Access | None:
        found = _LINE.search(line)
        if found is None:
            return None
        when, backend, server, took, status, flags = found.groups()
        began = seconds(when)
        ended = None if began is None else began + int(took) / 1000
        target = "" if server in _NO_SERVER else f"{backend}/{server}"
        healthy = flags[:2] == "--" and status[:1] != "5"
        kind = "" if healthy else f"{flags[:2]} {status}"
        return Access(began, ended, target, kind, flags[:2] == "SH")

    return Format(NAME, read)

"""A line of an access log in the common or combined format, of nginx, Apache httpd and others."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "access log line"
ORDER = 20
HINTS = ("http/1", "http/2", "http/3")

_LINE = re.compile(
    r'^(?:\S+:\d+ )?[\w.:-]+ \S+ \S+ \[[^\]]+\] "(?:[^"\\]|\\.)*" (\d{3}) (?:\d+|-)', re.MULTILINE
)
_BAD = 499


def read(text: str, lower: str) -> Found | None:
    """The status; below 499 the line reports no failure of a connection."""
    del lower
    line = _LINE.search(text)
    if line is None:
        return None
    status = int(line[1])
    return Found(
        "an access log's line in the common format",
        {"access-log": "", f"status:{status}": f"the status is {status}"},
        "access log (nginx, Apache httpd or another)",
        {"status": line[1]},
        errors=status >= _BAD or status == 408,
    )

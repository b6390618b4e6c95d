"""A line of Apache httpd's error log, with its AH number."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Apache httpd error log line"
ORDER = 8
HINTS = ("ah0", "ah1", ":error]", ":warn]", ":info]", "[error] [client")

_NUMBER = re.compile(r"\bAH(\d{5})\b")
_HEAD = re.compile(r"\[(?:\w+):(?:error|warn|info|notice|crit|debug)\] \[pid \d+|\[error\] \[client ")


def read(text: str, lower: str) -> Found | None:
    """The AH numbers."""
    del lower
    numbers = _NUMBER.findall(text)
    if not numbers and _HEAD.search(text) is None:
        return None
    tags = {"httpd": ""} | {f"httpd:AH{number}": f"Apache httpd's message AH{number}" for number in numbers}
    return Found("Apache httpd writes its error log in this shape", tags, "Apache httpd")

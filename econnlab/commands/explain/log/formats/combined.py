"""The common and the combined format of nginx and Apache httpd: no target and no duration."""

from __future__ import annotations

import re

from econnlab.commands.explain.log.access import Access, Format

NAME = "combined"
HELP = "the common or combined format of nginx and Apache httpd"

_LINE = re.compile(r'\S+ \S+ \S+ \[[^\]]+\] "[^"]*" (\d{3}) ')
_FAILED = frozenset(("499", "408"))


def reader() -> Format:
    """The format."""

    def read(line: str) -> Access | None:
        found = _LINE.match(line)
        if found is None:
            return None
        status = found[1]
        failed = status[0] == "5" or status in _FAILED
        return Access(None, None, "", status if failed else "", False)

    return Format(NAME, read, has_targets=False)

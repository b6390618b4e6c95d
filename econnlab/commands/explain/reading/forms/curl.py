"""curl's own line, or libcurl's number in another program's words."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "curl's message"
ORDER = 27
HINTS = ("curl",)

_NUMBER = re.compile(
    r"\bcurl: ?\((\d{1,2})\)|\bcurl error:? ?\(?(\d{1,2})\)?|\bcurl_errno\D{0,3}(\d{1,2})|CURLE_\w+",
    re.IGNORECASE,
)


def read(text: str, lower: str) -> Found | None:
    """The number, which is the whole message."""
    del lower
    shown = _NUMBER.search(text)
    if shown is None:
        return None
    number = shown[1] or shown[2] or shown[3]
    tags = {"curl": ""} | ({f"curl:{number}": f"curl's exit code {number}"} if number else {})
    return Found(f"{shown[0]} is curl's or libcurl's", tags, "curl")

"""A line of Heroku's router, or one of its codes."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Heroku router log line"
ORDER = 3
HINTS = ("at=error", "heroku", "code=h", "code=r")

_CODE = re.compile(
    r"\bcode=(H\d\d|R\d\d)\b|\bheroku\b.{0,200}?\b(H\d\d|R\d\d)\b|\b(H\d\d|R\d\d)\b.{0,200}?\bheroku\b",
    re.IGNORECASE,
)


def read(text: str, lower: str) -> Found | None:
    """The H code."""
    del lower
    found = _CODE.search(text)
    if found is None:
        return None
    code = (found[1] or found[2] or found[3]).upper()
    return Found(f"Heroku's code {code}", {"heroku": "", f"heroku:{code}": f"code {code}"}, "Heroku router")

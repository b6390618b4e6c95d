"""A pasted text taken apart: what collectors put in front taken off, one entry for each record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

#: More than any error. The root stands at the end of a traceback, so the end is kept.
LONGEST = 20_000
_MOST_ENTRIES = 200

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: What collectors put in front of a line; the program's name is kept where there is one.
PREFIXES = r"""
    ^(?:[\w.-]+\s+\|\s)                                                          # docker compose
  | ^(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)\s(?:stdout|stderr)\s[FP]\s)     # CRI
  | ^(?:<\d+>)?(?:[A-Z][a-z]{2}\s+\d+\s[\d:]{8}|<\d+>1\s\S+|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))
      \s[\w.:-]+\s(?P<program>[\w./-]+)(?:\[\d+\])?:\s?                           # syslog, journald
"""
STARTS = r"""
    ^\[?\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d | ^\[[A-Z][a-z]{2}\s[A-Z][a-z]{2}\s+\d
  | ^[A-Z][a-z]{2}\s+\d+\s\d\d:\d\d:\d\d\s | ^(?:https?|h2|grpcs?|wss?)\s\d{4}-
  | ^[\d.]{7,15}\s\S+\s\S+\s\[ | ^[\w.:-]+:\d+\s\[\d\d/ | ^\{" | ^\d\d:\d\d:\d\d[.,]\d
  | ^[IWEF]\d{4}\s\d\d:\d\d
"""


@dataclass(frozen=True)
class Entry:
    """One record: its own lines, without what a collector put in front, and the program that syslog names."""

    text: str
    program: str = ""


def entries(text: str) -> list[Entry]:
    """The entries of ``text``, in its order; the last two hundred."""
    found: list[Entry] = []
    lines: list[str] = []
    program = ""
    for line, of, begins in _lines(text[-LONGEST:]):
        if begins and lines:
            found.append(Entry("\n".join(lines), program))
            lines = []
        program = of or ("" if begins else program)
        lines.append(line)
    found.append(Entry("\n".join(lines), program))
    return [entry for entry in found if entry.text.strip()][-_MOST_ENTRIES:]


def _lines(text: str) -> Iterator[tuple[str, str, bool]]:
    """Each line without its prefix, the program named there, and whether an entry begins with it."""
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    for line in text.splitlines():
        prefix = pattern(PREFIXES).match(line)
        rest = line[prefix.end() :] if prefix else line
        indented = rest[:1].isspace() or rest[:1] in ("}", "]", ")") or rest.startswith(("Caused by", "..."))
        begins = not indented and (prefix is not None or pattern(STARTS).match(rest) is not None)
        yield rest, (prefix["program"] or "") if prefix else "", begins


@cache
def pattern(verbose: str) -> re.Pattern[str]:
    """``verbose`` compiled, once."""
    return re.compile(verbose, re.VERBOSE)

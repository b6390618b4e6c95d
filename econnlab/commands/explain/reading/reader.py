"""An entry read: every form whose hints occur in it is asked, the most telling one names it."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

from econnlab.commands.explain.reading.entries import Entry
from econnlab.commands.explain.reading.found import Found, Reading

FORMS = "econnlab.commands.explain.reading.forms"
_BARE = "bare phrase"
_MESSAGE = "error message"
_FEW_WORDS = 12


@cache
def form(name: str) -> ModuleType:
    """The module of one form."""
    return importlib.import_module(f"{FORMS}.{name}")


def read(entry: Entry, hints: dict[str, list[str]]) -> Reading:
    """What ``entry`` is. ``hints`` are those of all forms, by name."""
    lower = entry.text.lower()
    asked = [form(name) for name, some in hints.items() if any(hint in lower for hint in some)]
    found = [(module, told) for module in asked if (told := module.read(entry.text, lower)) is not None]
    found.sort(key=lambda pair: pair[0].ORDER)
    return _together(entry, lower, found)


def _together(entry: Entry, lower: str, found: list[tuple[ModuleType, Found]]) -> Reading:
    tags: dict[str, str] = {}
    facts: dict[str, str] = {}
    if entry.program:
        tags[f"program:{entry.program.rpartition('/')[2].lower()}"] = (
            f"syslog names the program {entry.program}"
        )
    for _, told in found:
        tags = {**told.tags, **tags}
        facts = {**told.facts, **facts}
    named = [(module, told) for module, told in found if module.NAME]
    bare = _BARE if len(lower.split()) <= _FEW_WORDS and "\n" not in lower.strip() else _MESSAGE
    return Reading(
        entry.text,
        lower,
        named[0][0].NAME if named else bare,
        next((told.product for _, told in found if told.product), ""),
        tags,
        facts,
        tuple(dict.fromkeys(told.why for _, told in found if told.why)),
        bool(found) and any(not told.errors for _, told in found),
    )

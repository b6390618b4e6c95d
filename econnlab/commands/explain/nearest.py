"""The words whose names are close to a text that was not understood."""

from __future__ import annotations

import difflib

from econnlab.commands.explain.index import index, plain

_NEAREST = 3
_NEAR_ENOUGH = 0.6
#: difflib takes quadratic time, and a longer text is no misspelled name.
_LONGEST = 100
_SHORTEST = 3


def nearest(text: str) -> list[str]:
    """Titles of words, the closest first."""
    wanted = plain(text[: 4 * _LONGEST])
    if len(wanted) > _LONGEST:
        return []
    spellings = _spellings()
    near = difflib.get_close_matches(wanted, spellings, n=9, cutoff=_NEAR_ENOUGH)
    inside = [said for said in spellings if len(wanted) >= _SHORTEST and wanted in said]
    return list(dict.fromkeys(spellings[said] for said in [*near, *inside]))[:_NEAREST]


def _spellings() -> dict[str, str]:
    """The title for each name, and for each phrase that needs nothing beside it."""
    found: dict[str, str] = {}
    for entry in index()["words"].values():
        alone = [rule for rule in entry["match"] if not rule.get("near") and not rule.get("tags")]
        said = [text for rule in alone for text in rule.get("said", ())]
        for text in (*entry["typed"], *said, *entry["perhaps"]):
            found.setdefault(text.lower(), entry["title"])
    return found

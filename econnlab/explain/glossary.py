"""Errors as users meet them, and which of them a line of text speaks of. One TOML file a word, in words/."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from econnlab.errors import UsageProblem
from econnlab.scenario.codec import decode

_FOLDER = Path(__file__).parent / "words"
#: A traceback is longer than any error that is meant.
LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Word:
    """What one error means, whoever words it how."""

    title: str
    #: The spellings by which users meet it; the case does not matter.
    aliases: tuple[str, ...]
    #: Who says it, in a sentence.
    says: str
    #: What it means on the wire.
    wire: str
    #: Likely causes, by the names in explain/causes/; the likeliest first.
    causes: tuple[str, ...]
    #: Scenarios that show it.
    scenarios: tuple[str, ...]
    #: What to do, the most useful first.
    do: tuple[str, ...]
    #: RFC sections, kernel functions, library versions, threads.
    sources: tuple[str, ...]


@cache
def words() -> tuple[Word, ...]:
    """All of them, in order of their file names."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.toml")))


def _read(path: Path) -> Word:
    try:
        return decode(Word, tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UsageProblem) as error:
        raise UsageProblem(f"{path.name}: {error}") from error


def find(text: str) -> list[Word]:
    """The words that ``text`` speaks of: the very alias, or those that a pasted line or traceback contains.

    Of several, the most specific first: the longest alias. An alias inside a longer one that stands at the
    same place does not count. Raises UsageProblem, with what comes near, where there is none.
    """
    text = " ".join(text[:LONGEST_TEXT].split())
    exactly = [word for word in words() if text.casefold() in map(str.casefold, word.aliases)]
    if exactly:
        return exactly
    found = _outermost(list(_mentions(text)))
    if not found:
        raise _nothing(text)
    found.sort(key=lambda each: each[0] - each[1])  # the longest first
    return list(dict.fromkeys(word for _, _, word in found))


def _mentions(text: str) -> Iterator[tuple[int, int, Word]]:
    """Where in ``text`` which word begins and ends."""
    for word in words():
        for alias in word.aliases:
            if alias.isdigit():
                continue  # a bare number means something only when it is all there is
            pattern = rf"(?<![A-Za-z0-9]){re.escape(alias)}(?![A-Za-z0-9])"
            for match in re.finditer(pattern, text, re.IGNORECASE):
                yield match.start(), match.end(), word


def _outermost(mentions: list[tuple[int, int, Word]]) -> list[tuple[int, int, Word]]:
    return [
        (start, end, word)
        for start, end, word in mentions
        if not any(
            first <= start and end <= last and last - first > end - start for first, last, _ in mentions
        )
    ]


def _nothing(text: str) -> UsageProblem:
    known = {alias.casefold(): alias for word in words() for alias in word.aliases}
    near = difflib.get_close_matches(text.casefold()[:200], list(known), n=3, cutoff=0.6)
    hint = (
        f"Did you mean {' or '.join(known[each] for each in near)}?"
        if near
        else "`econnlab explain` lists all."
    )
    shown = text if len(text) <= 80 else text[:77] + "..."
    return UsageProblem(f"No word here fits {shown!r}.", hint)

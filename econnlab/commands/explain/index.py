"""What finds a word, from all words and forms, in one file: reading hundreds of TOML files takes too long.

``words/index.json`` is generated: ``python -m econnlab.commands.explain.index`` writes it, and a test holds
it against the words.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

FILE = Path(__file__).parent / "words" / "index.json"


class Rule(TypedDict, total=False):
    """One Match of a word, in lower case but for tags."""

    said: list[str]
    near: list[str]
    tags: list[str]
    unless: list[str]


class Indexed(TypedDict):
    """What is known of a word without its file."""

    title: str
    brief: str  # its meaning in a sentence
    product: str
    level: int
    typed: list[str]
    match: list[Rule]
    perhaps: list[str]


class Index(TypedDict):
    """All of it."""

    forms: dict[str, list[str]]
    words: dict[str, Indexed]


@cache
def index() -> Index:
    """The index as it was generated."""
    found: Index = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def build() -> Index:
    """The index of the words and forms as they are now."""
    from econnlab.commands.explain.glossary import slugs
    from econnlab.commands.explain.reading.reader import FORMS, form
    from econnlab.discovery import module_names

    return {
        "forms": {name: list(form(name).HINTS) for name in module_names(FORMS)},
        "words": {slug: _entry(slug) for slug in slugs()},
    }


def _entry(slug: str) -> Indexed:
    from econnlab.commands.explain.glossary import LEVELS, word

    read = word(slug)
    return {
        "title": read.title,
        "brief": _first_sentence(read.wire),
        "product": read.product,
        "level": LEVELS[read.level],
        "typed": list(dict.fromkeys((read.title, *read.typed))),
        "match": [_rule(match.said, match.near, match.tags, match.unless) for match in read.match],
        "perhaps": [plain(text) for text in read.perhaps],
    }


def _rule(said: Any, near: Any, tags: Any, unless: Any) -> Rule:
    rule: Rule = {}
    if said:
        rule["said"] = [plain(text) for text in said]
    if near:
        rule["near"] = [_lower(text) for text in near]
    if tags:
        rule["tags"] = list(tags)
    if unless:
        rule["unless"] = [_lower(text) for text in unless]
    return rule


def _lower(text: str) -> str:
    return text if text.startswith("#") else text.lower()


def plain(text: str) -> str:
    """Lower case, runs of blanks as one: a pasted line may be wrapped."""
    return " ".join(text.lower().split())


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def written(index: Index) -> str:
    """The file: a line for each word, so that two branches that add words merge."""
    dump = json.dumps
    forms = ",\n".join(f"{dump(name)}: {dump(hints)}" for name, hints in index["forms"].items())
    words = ",\n".join(f"{dump(slug)}: {dump(entry)}" for slug, entry in index["words"].items())
    return f'{{"forms": {{\n{forms}\n}},\n"words": {{\n{words}\n}}}}\n'


if __name__ == "__main__":
    FILE.write_text(written(build()), encoding="utf-8")

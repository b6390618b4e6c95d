"""The glossary on a terminal: a page for each word, or the list of them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from econnlab.cli.pages import Paragraph, section, title
from econnlab.commands.explain.glossary import Word
from econnlab.discovery import parts

CAUSES = "econnlab.attribution.causes"


def page(word: Word) -> RenderableType:
    """Everything known of ``word``."""
    return Group(*_sections(word))


def listing(words: Iterable[Word]) -> RenderableType:
    """Each word with its meaning in a sentence, by title."""
    lines: list[RenderableType] = []
    for word in sorted(words, key=lambda word: word.title.lower()):
        lines += [title(word.title), Paragraph(_first_sentence(word.wire))]
    last = "econnlab explain WORD tells more; WORD may be a whole pasted line."
    return Group(*lines, Text(), Paragraph(last, lead=""))


def _sections(word: Word) -> Iterator[RenderableType]:
    yield title(word.title)
    yield Paragraph(word.says)
    yield from section("on the wire", [word.wire])
    yield from section("likely causes", [_cause(name) for name in word.causes])
    yield from section("see it", [f"econnlab run {name}" for name in word.scenarios])
    yield from section("what to do", word.do, numbered=True)
    yield from section("sources", word.sources)


def _cause(name: str) -> str:
    part = parts(CAUSES).get(name)
    return f"{name}: {part.HELP}" if part is not None else name


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]

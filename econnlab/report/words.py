"""The glossary on a terminal: a page for each word, or the list of them all."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.text import Text

from econnlab.discovery import parts
from econnlab.explain.glossary import Word
from econnlab.plaintext import harmless

CAUSES = "econnlab.explain.causes"
_INDENT = "  "
_NARROWEST = 20


@dataclass(frozen=True)
class Paragraph:
    """Text wrapped to the width, its further lines indented as the first; nothing trails a line."""

    text: str
    lead: str = _INDENT
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in textwrap.wrap(
            harmless(self.text),
            width=max(_NARROWEST, options.max_width),
            initial_indent=self.lead,
            subsequent_indent=" " * len(self.lead),
            break_on_hyphens=False,
        ):
            yield Text(line, style=self.style)


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


def section(heading: str, lines: Iterable[str], *, numbered: bool = False) -> Iterator[RenderableType]:
    """A heading, and each of ``lines`` as a paragraph; nothing where there are none."""
    for number, line in enumerate(lines, start=1):
        if number == 1:
            yield from (Text(), Text(heading, style="cyan"))
        yield Paragraph(line, lead=f"{_INDENT}{number}. " if numbered else _INDENT)


def title(text: str) -> RenderableType:
    """The heading of a page."""
    return Paragraph(text, lead="", style="bold")


def _cause(name: str) -> str:
    part = parts(CAUSES).get(name)
    return f"{name}: {part.HELP}" if part is not None else name


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]

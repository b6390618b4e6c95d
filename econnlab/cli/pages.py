"""Pages of text on a terminal: a title, sections, paragraphs wrapped to the width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from econnlab.plaintext import harmless

_INDENT = "  "
_NARROWEST = 20


@dataclass(frozen=True)
class Paragraph:
    """Text wrapped to the width, with further lines indented like the first."""

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
            break_long_words=False,
        ):
            yield Text(line, style=self.style)


def section(heading: str, lines: Iterable[str], *, numbered: bool = False) -> Iterator[RenderableType]:
    """A heading, and each of ``lines`` as a paragraph; nothing if there are no lines."""
    for number, line in enumerate(lines, start=1):
        if number == 1:
            yield from (Text(), Text(heading, style="cyan"))
        yield Paragraph(line, lead=f"{_INDENT}{number}. " if numbered else _INDENT)


def commands(lines: Iterable[str]) -> Iterator[RenderableType]:
    """The commands to run next, under a heading; none is broken, so that they can be pasted."""
    for number, line in enumerate(lines):
        if not number:
            yield from (Text(), Text("run now", style="cyan"))
        yield Text(f"{_INDENT}{harmless(line)}", no_wrap=True, overflow="ignore")


def title(text: str) -> RenderableType:
    """The heading of a page."""
    return Paragraph(text, lead="", style="bold")

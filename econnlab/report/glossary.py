"""A word's page, and the list of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from econnlab.discovery import parts
from econnlab.explain.glossary import Word


def word_list(words: Sequence[Word]) -> RenderableType:
    """A line each: its first spelling, and what it is."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold", max_width=44)
    grid.add_column()
    for word in words:
        grid.add_row(Text(word.aliases[0]), Text(word.title))
    return grid


def word_page(word: Word) -> RenderableType:
    """Everything that is known of it."""
    return Group(*_parts(word))


def _parts(word: Word) -> Iterator[RenderableType]:
    yield Text(word.title, "bold")
    yield _indented(Text(f"Also: {', '.join(word.aliases)}", "dim"))
    yield Text("\nWho says it", "bold")
    yield _indented(Text(word.says))
    yield Text("\nOn the wire", "bold")
    yield _indented(Text(word.wire))
    if word.causes:
        rules = parts("econnlab.explain.causes")
        yield Text("\nLikely causes", "bold")
        yield from (
            _indented(Text.assemble((name, "yellow"), f": {rules[name].HELP}")) for name in word.causes
        )
    if word.scenarios:
        yield Text("\nSee it happen", "bold")
        yield from (_indented(Text(f"econnlab run {name}", "cyan")) for name in word.scenarios)
    yield Text("\nWhat to do", "bold")
    yield from (_indented(Text(f"{number}. {step}")) for number, step in enumerate(word.do, 1))
    yield Text("\nSources", "bold")
    yield _indented(Text("; ".join(word.sources), "dim"))


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))

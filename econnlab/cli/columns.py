"""Tables that fit: text wraps first, then the least important columns go below their rows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions
from rich.text import Text

#: A column of text is not wrapped to less than this, nor inside a word.
_NARROWEST = 12
_BETWEEN = "  "


@dataclass(frozen=True)
class Column:
    """A heading and a cell per row."""

    heading: str
    cells: Sequence[str]
    #: Columns with the lowest go below first, all of one importance together; None goes last.
    importance: int | None = None
    right: bool = True
    #: A column of text may be wrapped to this width.
    folds_to: int = _NARROWEST

    @property
    def width(self) -> int:
        """The width without wrapping."""
        return max(cell_len(self.heading), *map(cell_len, self.cells), 0)

    @property
    def least_width(self) -> int:
        """The width of the longest word, if the column is text."""
        if self.right:
            return self.width
        words = [word for text in (self.heading, *self.cells) for word in text.split()]
        return min(self.width, max(self.folds_to, *map(cell_len, words), 0))

    def aligned(self, text: str, width: int) -> str:
        """``text`` padded to ``width``."""
        return " " * (width - cell_len(text)) + text if self.right else set_cell_size(text, width)


@dataclass(frozen=True)
class Grid:
    """The table of ``columns``, as wide as the console allows."""

    columns: Sequence[Column]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        above, below = _divided(self.columns, options.max_width)
        widths = _widths(above, options.max_width)
        blank = " " * (sum(widths) + len(_BETWEEN) * len(widths))
        yield Text(blank)
        yield from _lines(above, [column.heading for column in above], widths, "bold")
        yield Text(f" {('-' if options.ascii_only else '─') * (len(blank) - 2)} ")
        for row in range(len(self.columns[0].cells)):
            yield from _lines(above, [column.cells[row] for column in above], widths)
            yield from _details(below, row, options.max_width)
        yield Text(blank)


def _divided(columns: Sequence[Column], width: int) -> tuple[list[Column], list[Column]]:
    """The columns that fit side by side, and those that go below."""
    above = list(columns)
    while len(above) > 1 and sum(each.least_width + len(_BETWEEN) for each in above) > width:
        known = [each.importance for each in above if each.importance is not None]
        leaving = [each for each in above if known and each.importance == min(known)] or above[-1:]
        above = [each for each in above if each not in leaving]
    return above, [each for each in columns if each not in above]


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column; text columns are narrowed, the widest first, until all fit."""
    widths = [column.width for column in columns]
    while sum(widths) + len(_BETWEEN) * len(widths) > width:
        spare = [now - column.least_width for now, column in zip(widths, columns, strict=True)]
        if max(spare) <= 0:
            break
        widths[spare.index(max(spare))] -= 1
    return widths


def _lines(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], style: str = ""
) -> Iterator[Text]:
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        filled = zip(columns, parts, widths, strict=True)
        yield Text(f" {_BETWEEN.join(each.aligned(part, width) for each, part, width in filled)} ", style)


def _wrapped(text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False, break_long_words=False)


def _details(columns: Sequence[Column], row: int, width: int) -> Iterator[Text]:
    """The cells of the columns below: ``0x 13  1x 107  2x+ 0  outcomes closed 13``."""
    items = [f"{each.heading} {each.cells[row]}".strip() for each in columns if each.cells[row].strip()]
    line = ""
    for item in items:
        if line and cell_len(line) + len(_BETWEEN) + cell_len(item) + 4 > width:
            yield Text(f"    {line}", "dim")
            line = ""
        line = f"{line}{_BETWEEN}{item}" if line else item
    if line:
        yield Text(f"    {line}", "dim")

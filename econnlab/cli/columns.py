"""Tables that fit: on a narrow terminal whole columns give way, the least important first, never digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

#: Before a column, beside what the box itself puts there (box.SIMPLE_HEAD).
GAP = 1
_BOX = 1


@dataclass(frozen=True)
class Column:
    """A heading and a cell per row."""

    heading: str
    cells: Sequence[str]
    #: Those with the lowest go first, all of one importance together; None never goes.
    importance: int | None = None
    right: bool = True
    #: The least width of a column whose text may go on below; None where it may not.
    folds_to: int | None = None

    @property
    def width(self) -> int:
        """What it needs."""
        needed = max(len(self.heading), *map(len, self.cells))
        return needed if self.folds_to is None else min(needed, self.folds_to)


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Those of ``columns`` that fit into ``width`` characters side by side."""
    kept = list(columns)
    while sum(column.width + GAP + _BOX for column in kept) > width:
        droppable = [column.importance for column in kept if column.importance is not None]
        if not droppable:
            break
        kept = [column for column in kept if column.importance != min(droppable)]
    return kept


def draw(columns: Sequence[Column]) -> Table:
    """The table of ``columns``."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, GAP), pad_edge=False)
    for column in columns:
        drawn.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=column.folds_to is None,
            min_width=column.width,
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        drawn.add_row(*cells)
    return drawn

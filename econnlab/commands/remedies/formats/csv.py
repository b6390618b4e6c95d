"""A row per remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import csv_text

if TYPE_CHECKING:
    from econnlab.commands.remedies.comparison import Comparison

HELP = "a row per remedy as CSV, the run without one first"


def render(comparison: Comparison) -> str:
    """The table, its first line the names of the columns."""
    from econnlab.commands.remedies.formats.json import row_of

    return csv_text(map(row_of, (comparison.baseline, *comparison.results)))

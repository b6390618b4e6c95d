"""A row per remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.commands.remedies.comparison import Comparison

NAME = "csv"
HELP = "a row per remedy as CSV, the run without one first"


def render(comparison: Comparison) -> str:
    """The table, its first line the names of the columns."""
    import csv
    import io

    from econnlab.commands.remedies.formats.json import row_of

    rows = [row_of(each) for each in (comparison.baseline, *comparison.results)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

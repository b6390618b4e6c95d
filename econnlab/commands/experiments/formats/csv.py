"""The interval table as CSV (RFC 4180), one line a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.attribution.summary import Summary

NAME = "csv"
HELP = "the table as CSV"


def render(summary: Summary) -> str:
    """The header line and a line per row; rates are shares from 0 to 1."""
    import csv
    import io

    from econnlab.commands.experiments.report.table import figures, labels

    lines = [{**labels(summary.run.scenario, row), **figures(row)} for row in summary.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()

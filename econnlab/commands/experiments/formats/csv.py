"""The interval table as CSV (RFC 4180), one line a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import csv_text

if TYPE_CHECKING:
    from econnlab.attribution.summary import Summary

HELP = "the table as CSV"


def render(summary: Summary) -> str:
    """The header line and a line per row; rates are shares from 0 to 1."""
    from econnlab.commands.experiments.report.table import figures, labels

    return csv_text({**labels(summary.run.scenario, row), **figures(row)} for row in summary.rows)

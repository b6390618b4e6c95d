"""A row per failure found in a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.attribution.packets.diagnosis import Diagnosis

NAME = "csv"
HELP = "a row per failure as CSV"


def render(diagnosis: Diagnosis) -> str:
    """The table, its first line the names of the columns; in the order in which they happened."""
    import csv
    import io

    from econnlab.commands.diagnose.formats.json import finding_of

    rows = [finding_of(each) for each in sorted(diagnosis.findings, key=lambda each: each.at)]
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


_COLUMNS = [
    "time", "connection", "client", "server", "request", "cause", "certainty", "outcome", "lost", "reused",
    "idle_ms", "ended_by", "ended_with", "evidence",
]  # fmt: skip

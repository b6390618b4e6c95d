"""A row per failure found in a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import csv_text

if TYPE_CHECKING:
    from econnlab.attribution.packets.diagnosis import Diagnosis

HELP = "a row per failure as CSV"


def render(diagnosis: Diagnosis) -> str:
    """The table, its first line the names of the columns; in the order in which they happened."""
    from econnlab.commands.diagnose.formats.json import finding_of

    findings = sorted(diagnosis.findings, key=lambda each: each.at)
    return csv_text(map(finding_of, findings), _COLUMNS)


_COLUMNS = [
    "time", "connection", "client", "server", "request", "cause", "certainty", "outcome", "lost", "reused",
    "idle_ms", "ended_by", "ended_with", "evidence",
]  # fmt: skip

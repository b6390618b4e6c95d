"""The summary of a log as CSV: a row for each group and hour."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from econnlab.commands.explain.log.tally import Group, Tally

COLUMNS = ("word", "product", "causes", "hour", "count")


def render(tally: Tally, name: str) -> str:
    """The table; entries without a time stand in a row with an empty hour."""
    del name
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for group in tally.ordered:
        writer.writerows(_rows(group))
    return out.getvalue()


def _rows(group: Group) -> Iterator[tuple[str, ...]]:
    answer = group.answer
    about = (answer.slug, answer.product, " ".join(answer.causes))
    for hour, count in sorted(group.hours.items()):
        yield (*about, hour, str(count))
    untimed = group.count - group.hours.total()
    if untimed:
        yield (*about, "", str(untimed))

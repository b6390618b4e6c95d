"""The table of default timeouts as CSV: a row per product and range of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from econnlab.advice.product import Product, Release

NAME = "csv"
HELP = "a row per product and range of versions as CSV"


def render(table: Iterable[tuple[Product, tuple[Release, ...]]]) -> str:
    """The table, its first line the names of the columns; sources in one cell, separated by ``; ``."""
    import csv
    import io

    from econnlab.commands.timeouts.table_formats.json import release_of

    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for product, releases in table:
        fixed = {"name": product.name, "title": product.title, "kind": product.kind.value}
        sources = "; ".join(product.sources)
        writer.writerows({**fixed, **release_of(release), "sources": sources} for release in releases)
    return text.getvalue()


_COLUMNS = [
    "name", "title", "kind", "versions", "closes_after_ms", "really_later_ms", "up_to_later_ms", "advertises",
    "reuses_for_ms", "honours_less_ms", "drops", "sources",
]  # fmt: skip

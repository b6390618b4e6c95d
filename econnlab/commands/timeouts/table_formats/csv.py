"""The table of default timeouts as CSV: a row per product and range of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.cli.writing import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from econnlab.advice.product import Product, Release

HELP = "a row per product and range of versions as CSV"


def render(table: Iterable[tuple[Product, tuple[Release, ...]]]) -> str:
    """The table, its first line the names of the columns; sources in one cell, separated by ``; ``."""
    from econnlab.commands.timeouts.table_formats.json import release_of

    rows = [
        {
            "name": product.name,
            "title": product.title,
            "kind": product.kind.value,
            **release_of(release),
            "sources": "; ".join(product.sources),
        }
        for product, releases in table
        for release in releases
    ]
    return csv_text(rows, _COLUMNS)


_COLUMNS = [
    "name", "title", "kind", "versions", "closes_after_ms", "really_later_ms", "up_to_later_ms", "advertises",
    "reuses_for_ms", "honours_less_ms", "drops", "sources",
]  # fmt: skip

"""The table of default timeouts as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from econnlab.advice.product import Product, Release

HELP = "the table as JSON"

#: Raised when a key changes its meaning or goes; commands/timeouts/table.schema.json describes this one.
VERSION = 1


def render(table: Iterable[tuple[Product, tuple[Release, ...]]]) -> str:
    """The document; keys as in commands/timeouts/table.schema.json, times in ms."""

    return json_text(VERSION, {"products": [_product(*entry) for entry in table]})


def idle(milliseconds: Decimal | None) -> float | str | None:
    """An idle time: a number of ms, ``"off"``, ``"unlimited"``, or None where nothing is known."""
    from econnlab.advice.idle import OFF, UNLIMITED, said

    if milliseconds is None:
        return None
    return said(milliseconds) if milliseconds in (OFF, UNLIMITED) else number(milliseconds)


def number(milliseconds: Decimal) -> float:
    """A duration in ms as JSON writes it."""
    whole = int(milliseconds)
    return whole if whole == milliseconds else float(milliseconds)


def release_of(release: Release) -> dict[str, Any]:
    """The defaults of some versions, keys as in the schema."""
    less = release.honours_less_ms
    return {
        "versions": release.versions,
        "closes_after_ms": idle(release.closes),
        "really_later_ms": number(release.later_ms),
        "up_to_later_ms": number(release.scan_ms),
        "advertises": release.advertises.value,
        "reuses_for_ms": idle(release.reuses),
        "honours_less_ms": None if less is None else number(less),
        "drops": release.drops.value,
    }


def _product(product: Product, releases: tuple[Release, ...]) -> dict[str, Any]:
    return {
        "name": product.name,
        "title": product.title,
        "kind": product.kind.value,
        "aliases": list(product.aliases),
        "releases": [release_of(release) for release in releases],
        "about": list(product.about),
        "set_closes": product.set_closes.format(s="N", ms="MS", time="Ns") or None,
        "set_reuses": product.set_reuses.format(s="N", ms="MS", time="Ns") or None,
        "sources": list(product.sources),
    }

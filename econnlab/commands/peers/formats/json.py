"""The list of peers as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from econnlab.commands.peers.report import Line

HELP = "the list as JSON"
#: Raised when a key changes its meaning or goes; commands/peers/schema.json describes this one.
VERSION = 1


def render(lines: Iterable[Line]) -> str:
    """The document; times in ms."""
    return json_text(VERSION, {"peers": [_peer(line) for line in lines]})


def _peer(line: Line) -> dict[str, Any]:
    return {
        "role": line.role,
        "name": line.name,
        "help": line.help,
        "version": line.version,
        "install": line.install,
        "documented_timeout_ms": _number(line.documented_ms),
        "measured_timeout_ms": _number(line.measured_ms),
        "differs": line.differs,
    }


def _number(value: Decimal | None) -> float | str | None:
    from econnlab.advice.idle import OFF, UNLIMITED, said

    if value is None:
        return None
    return said(value) if value in (OFF, UNLIMITED) else float(value)

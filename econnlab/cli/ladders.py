"""Ladders of failures, made from the packets of a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from econnlab.attribution.packets.findings import Finding
from econnlab.cli.ladder import Ladder
from econnlab.packets.excerpt import Connection, rows
from econnlab.packets.frames import Frame

#: The time around a failure that is drawn: its connection may have stood for hours.
_BEFORE_NS, _AFTER_NS = 3_600_000_000_000, 60_000_000_000

Frames = Callable[[], Iterable[Frame]]


@dataclass(frozen=True)
class Drawn:
    """A failure: where its packets are, and the text on it."""

    at: float
    connections: tuple[Connection, ...]
    verdict: Text


def ladders(frames: Frames, drawn: Sequence[Drawn], between: str = "proxy") -> Iterator[RenderableType]:
    """A ladder and an empty line for each of ``drawn``."""
    if not drawn:
        return
    at_ns = [int(each.at * 1e9) for each in drawn]
    wanted = dict.fromkeys(connection for each in drawn for connection in each.connections)
    everything = rows(frames(), wanted, min(at_ns) - _BEFORE_NS, max(at_ns) + _AFTER_NS)
    for each in drawn:
        mine = [row for row in everything if row.connection in each.connections]
        yield Ladder(mine, each.connections, each.verdict, between)
        yield Text()


def connections_of(finding: Finding) -> tuple[Connection, ...]:
    """The connections of a finding, the one in front of a proxy first."""
    return tuple(Connection(*ends) for ends in finding.hops)

"""``--timeline``: the packets of failures, drawn from a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO

from econnlab.explain.packets.diagnosis import Finding
from econnlab.report.ladder import Ladder
from econnlab.wire.excerpt import Connection, rows
from econnlab.wire.reading import read_capture

#: Around a failure: its connection may have stood for hours.
_BEFORE_NS, _AFTER_NS = 3_600_000_000_000, 60_000_000_000


def ladders(
    open_capture: Callable[[], AbstractContextManager[BinaryIO]], findings: Sequence[Finding]
) -> Iterator[Ladder]:
    """A ladder for each of ``findings``; the capture is read once for all of them."""
    if not findings:
        return
    hops = [_connections(finding) for finding in findings]
    at_ns = [int(finding.at * 1e9) for finding in findings]
    with open_capture() as stream:
        everything = rows(
            read_capture(stream),
            {connection for connections in hops for connection in connections},
            min(at_ns) - _BEFORE_NS,
            max(at_ns) + _AFTER_NS,
        )
    for number, (finding, connections) in enumerate(zip(findings, hops, strict=True), 1):
        yield Ladder(
            finding, [row for row in everything if row.connection in connections], connections, number
        )


def _connections(finding: Finding) -> tuple[Connection, ...]:
    return tuple(Connection(*ends) for ends in finding.hops)

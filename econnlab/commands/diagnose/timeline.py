"""``diagnose --timeline``: the packets of each failure, drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from econnlab.attribution.packets.findings import Finding
from econnlab.cli.diagnosis import failure
from econnlab.cli.ladders import Drawn, Frames, connections_of, ladders


def of_capture(frames: Frames, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """A ladder for each of ``findings``; the capture is read once for all of them."""
    drawn = [
        Drawn(finding.at, connections_of(finding), failure(finding, number))
        for number, finding in enumerate(findings, 1)
    ]
    yield from ladders(frames, drawn)

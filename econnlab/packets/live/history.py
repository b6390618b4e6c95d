"""The packets of the last while, in bounded memory: what ladders and saved failures are made of. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from econnlab.packets.frames import Frame
from econnlab.packets.live.blocks import frames_in
from econnlab.packets.segments import ends_of


class History:
    """Keeps blocks as they came, up to ``most_bytes``; the oldest make room for new ones."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._blocks: deque[bytes] = deque()
        self.bytes = 0

    def add(self, block: bytes) -> None:
        """Keep ``block``."""
        self._blocks.append(block)
        self.bytes += len(block)
        while self.bytes > self._most and len(self._blocks) > 1:
            self.bytes -= len(self._blocks.popleft())

    def frames(self, connections: Iterable[tuple[bytes, bytes]]) -> list[Frame]:
        """The packets between these pairs of addresses and ports that are still kept, in order of time.

        Addresses and ports stand in a row unless IP options are between them: such packets are not found.
        """
        wanted = [ends for pair in connections for ends in (ends_of(*pair), ends_of(*reversed(pair)))]
        found = [
            frame
            for block in self._blocks
            if any(ends in block for ends in wanted)
            for frame in frames_in(block)
            if any(ends in frame.data for ends in wanted)
        ]
        return sorted(found, key=lambda frame: frame.at_ns)

"""Captured packets in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from econnlab.packets.frames import Frame

#: Packets that may overtake one another: each processor stamps its own before they line up (tpacket_rcv()).
_WINDOW = 256


def in_order(frames: Iterable[Frame]) -> Iterator[Frame]:
    """``frames`` by their times; those of one time stay as they came."""
    waiting: list[tuple[int, int, Frame]] = []
    for number, frame in enumerate(frames):
        entry = frame.at_ns, number, frame
        if len(waiting) < _WINDOW:
            heapq.heappush(waiting, entry)
        else:
            yield heapq.heappushpop(waiting, entry)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]

"""Captured packets in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter

from econnlab.packets.frames import Frame, Raw, raw_of

#: Packets that may overtake one another: each processor stamps its own before they line up (tpacket_rcv()).
_WINDOW = 256
_BATCH = 512
_time_of = itemgetter(0)


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


def batches(blocks: Iterable[list[Raw]], window: int = _WINDOW) -> Iterator[list[Raw]]:
    """Packets in lists, each sorted by time; one may stand up to ``window`` places from its own.

    Sorting a list that is in order costs less than comparing each packet with the one before (timsort).
    """
    kept: list[Raw] = []
    for block in blocks:
        batch = kept + block
        batch.sort(key=_time_of)
        kept = batch[-window:]
        del batch[-window:]
        if batch:
            yield batch
    if kept:
        yield kept


def blocks_of(frames: Iterable[Frame], size: int = _BATCH) -> Iterator[list[Raw]]:
    """Frames in blocks, as a reader has them."""
    source = iter(frames)
    while block := [raw_of(frame) for frame in islice(source, size)]:
        yield block

"""Captured packets in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter

from econnlab.packets.frames import Frame

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


def batches(frames: Iterable[Frame], size: int = _BATCH, window: int = _WINDOW) -> Iterator[list[Frame]]:
    """``frames`` in lists, each sorted by time; a packet may stand up to ``window`` places from its own.

    Sorting a list that is in order costs less than comparing each packet with the one before (timsort).
    """
    source = iter(frames)
    kept: list[Frame] = []
    while fresh := list(islice(source, size)):
        batch = kept + fresh
        batch.sort(key=_time_of)
        kept = batch[-window:]
        del batch[-window:]
        if batch:
            yield batch
    if kept:
        yield kept

"""Packets sorted into connections, as they come: one pass, and no more kept than is asked about later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from econnlab.packets.conversation import Bygone, Conversation
from econnlab.packets.dissect import FRAGMENTS, dissect, segment_of
from econnlab.packets.fragments import Fragment, Fragments
from econnlab.packets.frames import ETHERNET, Frame, Raw
from econnlab.packets.icmp import Icmp
from econnlab.packets.order import batches, blocks_of
from econnlab.packets.segments import (
    COMMON,
    COMMON_SIZE,
    FRAGMENT,
    PLAIN,
    PLAIN_MASK,
    TCP,
    Segment,
)
from econnlab.packets.tracking import Tracker

_WRAP, _FORWARD = 0xFFFFFFFF, 0x80000000


@dataclass
class Traffic:
    """What the packets of a capture came to."""

    #: Those that failed, or had not ended with the capture, by their numbers.
    conversations: dict[int, Conversation] = field(default_factory=dict)
    #: Those that went well and are over.
    bygones: list[Bygone] = field(default_factory=list)
    #: SYNs that an RST answered: when, who asked, whom.
    refusals: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    frames: int = 0
    #: Frames that held nothing that is read, by what they were.
    unread: Counter[str] = field(default_factory=Counter)
    #: Times that bytes were missing which the other side, or a later packet, says were sent.
    gaps: int = 0
    #: TCP segments of which less was captured than was sent; those that were seen twice.
    shortened: int = 0
    doubled: int = 0
    #: Packets that stood behind later ones in the file.
    moved: int = 0
    began: int = 0
    ended: int = 0

    @property
    def others(self) -> int:
        """Frames that held no TCP segment that could be read."""
        return self.unread.total()


def follow(frames: Iterable[Frame], stopped: Callable[[], bool] = lambda: False) -> Traffic:
    """Sort ``frames`` into connections, until there are no more or ``stopped`` says so."""
    blocks = getattr(frames, "blocks", None)  # of a reader: quicker than one frame after another
    return follow_blocks(blocks() if blocks is not None else blocks_of(frames), stopped)


def follow_blocks(blocks: Iterable[list[Raw]], stopped: Callable[[], bool] = lambda: False) -> Traffic:
    """The same for packets as readers have them."""
    flows = Flows()
    for batch in batches(blocks):
        flows.add(batch)
        if stopped():
            break
    flows.finish()
    return flows.traffic


class Flows:
    """Takes packets in batches, each in order of time, and keeps the connections that they make."""

    def __init__(self, traffic: Traffic | None = None, late: int | None = None) -> None:
        self.traffic = traffic or Traffic()
        self.tracker = Tracker(self.traffic, late)
        self._fragments = Fragments()

    def add(self, packets: list[Raw]) -> None:
        """Take in a batch. Common headers, and packets in their order, are handled here, which is quick."""
        traffic, tracker = self.traffic, self.tracker
        lookup, unusual, uncommon = tracker.known.get, tracker.unusual, self._uncommon
        shortened = 0
        for at, link_type, data, first, captured, length, _ in packets:
            common = False
            if link_type == ETHERNET and captured >= COMMON_SIZE:
                head, total, ident, fragment, ttl, ends, seq, ack, flags = COMMON(data, first)
                start = 34 + (flags >> 10 & 0x3C)
                size = (14 + total if total else length) - start
                common = (
                    head & PLAIN_MASK == PLAIN
                    and ttl & 0xFF == TCP
                    and not fragment & FRAGMENT
                    and start >= COMMON_SIZE
                    and size >= 0
                )
            if common:
                flags &= 0xFF
                ttl >>= 8
            else:
                found = uncommon(at, link_type, data[first : first + captured], length)
                if found is None:
                    continue
                (ends, seq, ack, flags, size, start, _, ttl, ident, _), data = found
                first, captured = 0, len(data)
            start += first
            end = start + size
            if end > first + captured:
                shortened += 1
                end = first + captured
            known = lookup(ends)
            if known is not None and flags & 0x17 == 0x10:
                conversation, me, other = known
                there = other.next
                if (
                    conversation.calm
                    and seq == me.next
                    and (ack == there or (ack - there) & _WRAP >= _FORWARD)
                ):
                    if size:
                        conversation.last = at
                        me.next = (seq + size) & _WRAP
                        if ident - me.ident > me.step and me.ident:
                            me.step = ident - me.ident
                        me.ident, me.ttl = ident, ttl
                        me.data_at = me.parse(conversation, at, size, data[start:end]) or at
                    if ack != me.ack and (ack - me.ack) & _WRAP < _FORWARD:
                        me.ack = ack
                    continue
            unusual(at, ends, known, seq, ack, flags, size, data[start:end], ttl, ident)
        traffic.shortened += shortened
        traffic.frames += len(packets)
        if packets:
            traffic.began = traffic.began or packets[0][0]
            traffic.ended = max(traffic.ended, packets[-1][0])

    def finish(self) -> None:
        """No more packets will come."""
        if left := self._fragments.left:
            self.traffic.unread[FRAGMENTS] += left
        self.tracker.finish()

    def _uncommon(self, at: int, link_type: int, data: bytes, length: int) -> tuple[Segment, bytes] | None:
        """The segment in a frame with other headers, and the bytes that it counts its offsets in."""
        found = dissect(link_type, data, length)
        if isinstance(found, Fragment):
            joined = self._fragments.add(found)
            if joined is None:
                return None
            data = joined.payload
            found = segment_of(data, found.datagram[0], joined.ttl, found.datagram[1])
        if isinstance(found, Segment):
            return found, data
        if isinstance(found, Icmp):
            self.tracker.icmp(at, found)
        elif isinstance(found, str):
            self.traffic.unread[found] += 1
        return None

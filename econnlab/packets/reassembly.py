"""Packets of one connection put into the order in which their bytes were sent.

A packet waits if bytes before it, or bytes that it acknowledges, have not been seen. They come a moment later
if the capture or the network changed the order; otherwise the capture lacks them.
"""

from __future__ import annotations

from typing import NamedTuple

from econnlab.packets.conversation import Conversation, Side

WRAP, FORWARD = 0xFFFFFFFF, 0x80000000
#: Packets that may wait for bytes before them: then the network lost these, and they come again.
_MOST_WAITING = 256
#: Packets of a connection after which bytes that were acknowledged and not seen are missing in the capture.
_LATE_BY = 4


class Waiting(NamedTuple):
    """A packet with bytes or a FIN, or with a number that acknowledges what was not seen."""

    at: int
    by_client: bool
    seq: int
    ack: int
    flags: int
    size: int
    payload: bytes
    ttl: int
    ident: int

    @property
    def has_ack(self) -> bool:
        """Its acknowledgment number counts."""
        return bool(self.flags & 0x10)


def ahead(number: int, of: int) -> int:
    """How far ``number`` is beyond ``of``; 0 if it is not."""
    step = (number - of) & WRAP
    return step if step < FORWARD else 0


def too_early(packet: Waiting, me: Side, other: Side) -> bool:
    """It follows bytes, or acknowledges bytes, that were not seen."""
    if me.next is not None and ahead(packet.seq, me.next):
        return True
    return acknowledges_unseen(packet, other)


def acknowledges_unseen(packet: Waiting, other: Side) -> bool:
    """One more than was seen is a FIN, which may be missing without harm."""
    return (
        packet.has_ack and other.next is not None and other.packets > 0 and ahead(packet.ack, other.next) > 1
    )


def must_go_on(conversation: Conversation) -> bool:
    """What the waiting packets wait for will not come any more."""
    waiting: list[Waiting] = conversation.early or []
    if len(waiting) < _LATE_BY:
        return False
    if len(waiting) >= _MOST_WAITING:
        return True
    for packet in (waiting[0], waiting[-_LATE_BY]):
        if acknowledges_unseen(packet, conversation.server if packet.by_client else conversation.client):
            return True
    return False


def missing_before(conversation: Conversation) -> tuple[Side, int]:
    """The side of which bytes are missing, and how many: those before the packet that waits longest."""
    waiting = conversation.early or []
    packet = waiting[0]
    me, other = conversation.client, conversation.server
    if not packet.by_client:
        me, other = other, me
    side, until = (me, packet.seq) if ahead(packet.seq, me.next or 0) else (other, packet.ack)
    begin, of_client = side.next or 0, side is conversation.client
    seen = [ahead(each.seq, begin) for each in waiting if each.by_client == of_client]
    return side, min([ahead(until, begin), *(step for step in seen if step)])


def next_ready(conversation: Conversation) -> Waiting | None:
    """Take the first waiting packet whose turn has come; None if there is none."""
    waiting: list[Waiting] = conversation.early or []
    for number, packet in enumerate(waiting):
        me, other = conversation.client, conversation.server
        if not packet.by_client:
            me, other = other, me
        if not too_early(packet, me, other):
            del waiting[number]
            return packet
    return None

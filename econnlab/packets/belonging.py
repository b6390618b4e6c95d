"""Which connection a packet belongs to, and which of its ends is the client's."""

from __future__ import annotations

from collections import Counter
from typing import Protocol as Interface

from econnlab.packets.conversation import Bygone, Conversation, Side
from econnlab.packets.reassembly import WRAP, Waiting
from econnlab.packets.segments import RST

#: A hole this large is not one: no window is larger (RFC 7323 section 2.3).
_LARGEST_HOLE = 1 << 30
#: Ports from this one on are the clients' (net.ipv4.ip_local_port_range), and seldom a server's.
_EPHEMERAL = 32_768

#: A connection, the side that sends, and the other one.
Known = tuple[Conversation, Side, Side]


class Kept(Interface):
    """Where the connections are kept: ``flows.Traffic``."""

    conversations: dict[int, Conversation]
    bygones: list[Bygone]
    refusals: list[tuple[int, bytes, bytes]]
    unread: Counter[str]
    gaps: int
    doubled: int


def is_plain(client: bytes, server: bytes) -> bool:
    """The ports alone tell who is the client."""
    return int.from_bytes(server[-2:], "big") < _EPHEMERAL <= int.from_bytes(client[-2:], "big")


def is_its_syn(known: Known, seq: int) -> bool:
    """The SYN belongs to this connection; its SYN-ACK may have been captured before it."""
    _, me, other = known
    if me.isn is None:
        return other.isn is not None and other.ack == (seq + 1) & WRAP
    return me.isn == seq


def is_another(known: Known, seq: int, flags: int) -> bool:
    """The ports of a connection that is over serve another one, of which no SYN was captured."""
    conversation, me, _ = known
    if not conversation.ended or me.next is None or flags & RST:
        return False
    step = (seq - me.next) & WRAP
    return min(step, WRAP - step) > _LARGEST_HOLE


def is_double(one: Waiting, two: Waiting) -> bool:
    """The same packet, captured at another interface."""
    return (one.ident, one.seq, one.ack, one.size, one.by_client) == (
        two.ident,
        two.seq,
        two.ack,
        two.size,
        two.by_client,
    )

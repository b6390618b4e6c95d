"""What the network did to one connection: errors of routers, packets in vain, hosts that forgot it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from econnlab.packets.conversation import IN_VAIN, Conversation, Exchange, Side
from econnlab.packets.icmp import FRAGMENTATION_NEEDED
from econnlab.packets.reassembly import ahead

_NS = 1_000_000_000


@dataclass(frozen=True)
class Error:
    """An ICMP error."""

    #: ``host unreachable, twice``
    said: str
    by: str
    mtu: int


def icmp_of(conversation: Conversation) -> Error | None:
    """The most frequent ICMP error about the connection."""
    if not conversation.icmp:
        return None
    said, (source, mtu, _, count) = max(conversation.icmp.items(), key=lambda each: each[1][3])
    times = "" if count == 1 else f" {count} times"
    return Error(
        f"{said}{times}", str(ipaddress.ip_address(source)), mtu if said == FRAGMENTATION_NEEDED else 0
    )


def in_vain(conversation: Conversation, times: int = IN_VAIN) -> bool:
    """The client sent its last bytes again so many times, and nothing acknowledged them."""
    client, server = conversation.client, conversation.server
    if client.resent < times or conversation.missing:
        return False
    return server.ack is None or ahead(client.resent_seq, server.ack) > 0


def in_vain_s(conversation: Conversation) -> float:
    """From the first time that these bytes were sent to the last, s."""
    client = conversation.client
    return max(0, client.resent_at - client.data_at) / _NS if client.resent else 0.0


def sent_in(client: Side, exchange: Exchange) -> bool:
    """The bytes that were sent again are of this request."""
    return ahead(client.resent_seq, exchange.begin) > 0


def round_trip(conversation: Conversation) -> int:
    """Of the handshake, as it was captured, ns; 0 if it was not."""
    if not conversation.syn_at or not conversation.confirmed:
        return 0
    return conversation.confirmed - conversation.syn_at


def client_forgot(conversation: Conversation) -> bool:
    """The client ended it with an RST without ACK: its kernel knew no such connection, and had closed none.

    A process that aborts, or dies, sends RST with ACK (tcp_send_active_reset()); tcp_v4_send_reset() answers
    a packet that belongs to no socket.
    """
    first = conversation.first_end
    if first is None or first[0] is not conversation.client or first[1].is_fin or first[1].has_ack:
        return False
    return conversation.from_beginning and bool(conversation.server.sent) and conversation.client.fin is None

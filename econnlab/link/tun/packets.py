"""IPv4 packets with TCP in them. Pure: bytes in, values out."""

from __future__ import annotations

import struct
from dataclasses import dataclass

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10  # RFC 9293 section 3.1

_VERSION_4 = 4
_PROTOCOL_TCP = 6
_SHORTEST_HEADER = 20
#: More fragments, and the fragment's offset (RFC 791): TCP sets "don't fragment" instead.
_FRAGMENT = 0x3FFF


@dataclass(frozen=True, slots=True)
class TcpPacket:
    """What the wire's ledger contains of a TCP packet; ``payload`` is in bytes."""

    source_port: int
    target_port: int
    sequence: int
    flags: int
    payload: int


def tcp_segment(packet: bytes) -> TcpPacket | None:
    """The TCP segment in an IPv4 packet; None for anything else (IPv6, ICMP, fragments)."""
    if len(packet) < 2 * _SHORTEST_HEADER or packet[0] >> 4 != _VERSION_4:
        return None
    length, fragment, protocol = struct.unpack_from("!2xH2xHxB", packet)
    header = (packet[0] & 0x0F) * 4
    if protocol != _PROTOCOL_TCP or fragment & _FRAGMENT or header < _SHORTEST_HEADER:
        return None
    if not header + _SHORTEST_HEADER <= length <= len(packet):
        return None
    source, target, sequence, offset, flags = struct.unpack_from("!HHI4xBB", packet, header)
    payload = length - header - (offset >> 4) * 4
    if offset >> 4 < 5 or payload < 0:
        return None
    return TcpPacket(source, target, sequence, flags, payload)


def turned_round(packet: bytes) -> bytes:
    """The IPv4 packet with source and destination address swapped.

    Both checksums stay valid: they are one's complement sums of 16-bit words (RFC 1071), TCP's including both
    addresses, and addition commutes.
    """
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]

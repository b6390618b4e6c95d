"""From a frame to the TCP segment in it: link headers, IPv4 and IPv6, TCP. One call a packet, and quick."""

from __future__ import annotations

import struct
from typing import NamedTuple

from econnlab.packets.frames import (
    ETHERNET,
    IPV4,
    IPV6,
    LOOP,
    NULL,
    RAW,
    RAW_OLD_12,
    RAW_OLD_14,
    SLL,
    SLL2,
)

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10  # RFC 9293 section 3.1

_TCP = 6
_FRAGMENT_OFFSET = 0x1FFF
_IPV4_FIELDS = struct.Struct("!HHHBB")
_TCP_FIELDS = struct.Struct("!HHIIBBH")
_ETHERTYPE_IPV4, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
#: 802.1Q, 802.1ad, and what came before it: four bytes more until the next type.
_VLAN = frozenset({0x8100, 0x88A8, 0x9100})
# IPv6 extension headers (RFC 8200 section 4)
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_MOST_EXTENSIONS = 16


class Segment(NamedTuple):
    """A TCP segment. Sequence numbers are as on the wire, from 0 to 2**32 - 1."""

    #: Both addresses, of 4 or 16 bytes, the sender's first, and then both ports, of 2.
    ends: bytes
    seq: int
    ack: int
    flags: int
    #: Bytes of payload on the wire; of them ``data[start:end]`` was captured.
    size: int
    start: int
    end: int
    ttl: int
    #: IPv4's identification; 0 in IPv6.
    ident: int
    window: int

    @property
    def source(self) -> bytes:
        """Address and port of the sender."""
        size = len(self.ends) // 2 - 2
        return self.ends[:size] + self.ends[-4:-2]

    @property
    def target(self) -> bytes:
        """Address and port to which it goes."""
        size = len(self.ends) // 2 - 2
        return self.ends[size:-4] + self.ends[-2:]


def ends_of(source: bytes, target: bytes) -> bytes:
    """The ``ends`` of a segment from one address and port to another."""
    return source[:-2] + target[:-2] + source[-2:] + target[-2:]


def segment(link_type: int, data: bytes, length: int) -> Segment | None:
    """The segment in a frame of ``length`` bytes on the wire, of which ``data`` was captured.

    None for anything else: other protocols, fragments but the first, headers that were cut off.
    """
    if link_type == ETHERNET and data[12:14] == b"\x08\x00":
        at = 14
    else:
        at = _network(link_type, data)
        if at < 0:
            return None
    captured = len(data)
    if captured < at + 40:  # the shortest of both headers, and of IPv6's alone
        return None
    first = data[at]
    if first >> 4 == 4:
        header = (first & 15) * 4
        total, ident, fragment, ttl, protocol = _IPV4_FIELDS.unpack_from(data, at + 2)
        if protocol != _TCP or fragment & _FRAGMENT_OFFSET or header < 20:
            return None
        tcp = at + header
        # 0 where the card cuts it up later (TSO): then the frame's end is the packet's.
        end = at + total if total else length
        hosts, beyond = at + 12, at + 20
    elif first >> 4 == 6:
        tcp, ttl, ident = _ipv6(data, at), data[at + 7], 0
        if tcp < 0:
            return None
        payload = data[at + 4] << 8 | data[at + 5]
        end = at + 40 + payload if payload else length
        hosts, beyond = at + 8, at + 40
    else:
        return None
    if captured < tcp + 20:
        return None
    _, _, seq, ack, offset, flags, window = _TCP_FIELDS.unpack_from(data, tcp)
    start = tcp + (offset >> 4) * 4
    size = end - start
    if offset < 0x50 or size < 0:
        return None
    fields = (
        # Without options they stand side by side.
        data[hosts : beyond + 4] if tcp == beyond else data[hosts:beyond] + data[tcp : tcp + 4],
        seq,
        ack,
        flags,
        size,
        start,
        end if end < captured else captured,
        ttl,
        ident,
        window,
    )
    return tuple.__new__(Segment, fields)  # half the time of Segment(...)


def _network(link_type: int, data: bytes) -> int:
    """Where the IP header begins; -1 where there is none."""
    if link_type == ETHERNET:
        return _after_type(data, 12)
    if link_type in (RAW, RAW_OLD_12, RAW_OLD_14, IPV4, IPV6):
        return 0
    if link_type in (NULL, LOOP):  # an address family, in the byte order of whoever captured
        return 4
    if link_type == SLL:
        return _after_type(data, 14)
    if link_type == SLL2:
        return 20 if data[:2] in (b"\x08\x00", b"\x86\xdd") else _after_type(data, 0, 20)
    return -1


def _after_type(data: bytes, at: int, begin: int | None = None) -> int:
    """Follow the type at ``at``, and VLAN tags, to IP; they begin behind the type, or at ``begin``."""
    if len(data) < at + 2:
        return -1
    kind = data[at] << 8 | data[at + 1]
    at = at + 2 if begin is None else begin
    while kind in _VLAN:
        if len(data) < at + 4:
            return -1
        kind = data[at + 2] << 8 | data[at + 3]
        at += 4
    return at if kind in (_ETHERTYPE_IPV4, _ETHERTYPE_IPV6) else -1


def _ipv6(data: bytes, at: int) -> int:
    """Where TCP begins behind the extension headers; -1 where it does not."""
    following, at = data[at + 6], at + 40
    for _ in range(_MOST_EXTENSIONS):
        if following == _TCP:
            return at
        if len(data) < at + 8:
            return -1
        if following in (_HOP_BY_HOP, _ROUTING, _DESTINATION):
            size = (data[at + 1] + 1) * 8
        elif following == _AUTHENTICATION:
            size = (data[at + 1] + 2) * 4
        elif following == _FRAGMENT and not (data[at + 2] << 8 | data[at + 3]) & 0xFFF8:
            size = 8
        else:
            return -1
        following, at = data[at], at + size
    return -1

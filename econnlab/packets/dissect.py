"""Frames with uncommon headers: links, encapsulations, IP with options and fragments, and TCP in them."""

from __future__ import annotations

import struct
from functools import cache
from types import ModuleType
from typing import NamedTuple

from econnlab.discovery import parts
from econnlab.packets import links
from econnlab.packets.encapsulations import snap
from econnlab.packets.fragments import Fragment
from econnlab.packets.icmp import Icmp
from econnlab.packets.icmp import read as read_icmp
from econnlab.packets.segments import TCP, Segment
from econnlab.packets.steps import ETHERTYPE, FRAME, Step, ip

_IPV4_FIELDS = struct.Struct("!HHHBB").unpack_from
_TCP_FIELDS = struct.Struct("!IIBBH").unpack_from
_IPV4, _IPV6 = 0x0800, 0x86DD
_ICMP, _UDP, _ICMP6 = 1, 17, 58
_MORE, _OFFSET = 0x2000, 0x1FFF
#: IPv6 extension headers (RFC 8200 section 4), and of IPsec the one that leaves the payload readable.
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_MOST_EXTENSIONS, _MOST_HEADERS = 16, 12
_CUT, _DAMAGED = "headers cut off by the snapshot length", "headers that contradict themselves"
FRAGMENTS = "IP fragments"
_ETHERTYPES = {
    0x0806: "ARP",
    0x8863: "PPPoE discovery",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88E5: "MACsec (encrypted)",
}
_PROTOCOLS = {
    _ICMP: "ICMP",
    2: "IGMP",
    _UDP: "UDP",
    50: "ESP (encrypted)",
    _ICMP6: "ICMPv6",
    89: "OSPF",
    132: "SCTP",
}

#: What a frame holds: a segment, an ICMP error about one, a fragment, or the kind of what is not read.
Content = Segment | Icmp | Fragment | str


class _Packet(NamedTuple):
    """An IP header that was read."""

    hosts: bytes
    protocol: int
    #: Where its payload begins and, on the wire, ends.
    begin: int
    end: int
    ttl: int
    ident: int
    #: Offset in bytes, and whether more fragments follow; None if it is whole.
    fragment: tuple[int, bool] | None


def dissect(link_type: int, data: bytes, length: int) -> Content:
    """What a frame of ``length`` bytes on the wire holds, of which ``data`` was captured."""
    step = links.first(link_type, data)
    if step is None:
        return f"link type {link_type}"
    found: Content | Step
    for _ in range(_MOST_HEADERS):
        if step.space in (FRAME, ETHERTYPE):
            found = _by_ethertype(data, step)
        else:
            packet = _ip(data, step.at, length)
            found = packet if isinstance(packet, str) else _payload(data, packet)
        if not isinstance(found, Step):
            return found
        step = found
    return "too many headers"


def segment_of(payload: bytes, hosts: bytes, ttl: int, ident: int) -> Segment | str:
    """The TCP segment in the ``payload`` of an IP datagram that was joined from its fragments."""
    return _tcp(payload, _Packet(hosts, TCP, 0, len(payload), ttl, ident, None))


def _by_ethertype(data: bytes, step: Step) -> Step | str:
    at, number = step.at, step.number
    if step.space == FRAME:
        if len(data) < at + 14:
            return _CUT
        number, at = data[at + 12] << 8 | data[at + 13], at + 14
    if number in (_IPV4, _IPV6):
        return ip(at)
    if number <= snap.LONGEST:
        return snap.inner(data, at) or "IEEE 802.3 without SNAP"
    known = _readers("ETHERTYPES").get(number)
    if known is None:
        return _ETHERTYPES.get(number, f"EtherType 0x{number:04x}")
    return known.inner(data, at) or _name(known)


@cache
def _readers(table: str) -> dict[int, ModuleType]:
    """The modules of encapsulations/ by the numbers that lead to them."""
    modules = parts("econnlab.packets.encapsulations").values()
    return {number: module for module in modules for number in getattr(module, table, ())}


def _name(module: ModuleType) -> str:
    """``PPPoE sessions (RFC 2516)``: the beginning of the module's first line."""
    return (
        (module.__doc__ or module.__name__).partition(":")[0].partition("\n")[0].partition(",")[0].rstrip(".")
    )


# -- IP -------------------------------------------------------------------------------------------


def _ip(data: bytes, at: int, length: int) -> _Packet | str:
    if len(data) < at + 20:
        return _CUT
    version = data[at] >> 4
    if version == 4:
        header = (data[at] & 15) * 4
        total, ident, fragment, ttl, protocol = _IPV4_FIELDS(data, at + 2)
        if header < 20:
            return _DAMAGED
        # The total is 0 if the card cuts the packet up later (TSO): then the frame's end is the packet's.
        end = at + total if total else length
        part = ((fragment & _OFFSET) * 8, bool(fragment & _MORE)) if fragment & (_OFFSET | _MORE) else None
        return _Packet(data[at + 12 : at + 20], protocol, at + header, end, ttl, ident, part)
    return _ipv6(data, at, length) if version == 6 else _DAMAGED


def _ipv6(data: bytes, at: int, length: int) -> _Packet | str:
    if len(data) < at + 40:
        return _CUT
    payload, following, ttl = data[at + 4] << 8 | data[at + 5], data[at + 6], data[at + 7]
    hosts, end = data[at + 8 : at + 40], at + 40 + payload if payload else length
    at, ident, part = at + 40, 0, None
    for _ in range(_MOST_EXTENSIONS):
        if following not in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION):
            return _Packet(hosts, following, at, end, ttl, ident, part)
        if len(data) < at + 8:
            return _CUT
        size = (data[at + 1] + 1) * 8
        if following == _AUTHENTICATION:
            size = (data[at + 1] + 2) * 4
        elif following == _FRAGMENT:
            size, field = 8, data[at + 2] << 8 | data[at + 3]
            if field & 0xFFF9:  # else it is whole and only says that it might be cut (RFC 6946)
                ident, part = int.from_bytes(data[at + 4 : at + 8], "big"), (field & 0xFFF8, bool(field & 1))
        following, at = data[at], at + size
        if part is not None and part[0]:
            return _Packet(hosts, following, at, end, ttl, ident, part)
    return _DAMAGED


def _payload(data: bytes, packet: _Packet) -> Content | Step:
    if packet.fragment is not None:
        offset, more = packet.fragment
        if packet.protocol != TCP or packet.end > len(data):
            return FRAGMENTS
        name = packet.hosts, packet.ident, packet.protocol
        return Fragment(name, offset, not more, data[packet.begin : packet.end], packet.ttl)
    if packet.protocol == TCP:
        return _tcp(data, packet)
    if packet.protocol in (_ICMP, _ICMP6):
        return (
            read_icmp(data, packet.begin, packet.hosts[: len(packet.hosts) // 2])
            or _PROTOCOLS[packet.protocol]
        )
    known, at = _readers("IP_PROTOCOLS").get(packet.protocol), packet.begin
    if packet.protocol == _UDP:
        if len(data) < at + 8:
            return _CUT
        ports, at = struct.unpack_from("!HH", data, at), at + 8
        known = _readers("UDP_PORTS").get(ports[1]) or _readers("UDP_PORTS").get(ports[0])
    if known is None:
        return _PROTOCOLS.get(packet.protocol, f"IP protocol {packet.protocol}")
    return known.inner(data, at) or _name(known)


def _tcp(data: bytes, packet: _Packet) -> Segment | str:
    at = packet.begin
    if len(data) < at + 20:
        return _CUT
    seq, ack, offset, flags, window = _TCP_FIELDS(data, at + 4)
    start = at + (offset >> 4) * 4
    size = packet.end - start
    if offset < 0x50 or size < 0:
        return _DAMAGED
    return Segment(
        packet.hosts + data[at : at + 4],
        seq,
        ack,
        flags,
        size,
        start,
        min(packet.end, len(data)),
        packet.ttl,
        packet.ident if len(packet.hosts) == 8 else 0,
        window,
    )

"""Frames for tests, built from the inside out: ``ethernet(ipv4(HERE, THERE, tcp(40000, 80, 1, 1, SYN)))``."""

import ipaddress
import struct

from econnlab.packets.frames import ETHERNET, LOOP, NULL, RAW, SLL, SLL2
from tests.support.packets import ones_sum

_TCP = 6
_VLAN, _PROVIDER_VLAN = 0x8100, 0x88A8
_FRAGMENT, _AUTHENTICATION = 44, 51
#: The families of BSD and macOS, whose captures have them.
_AF_INET, _AF_INET6 = 2, 30


def tcp(sport, dport, seq, ack, flags, payload=b"", window=65535, options=b""):
    """A segment, whose checksum the packet around it sets."""
    options += b"\1" * (-len(options) % 4)  # NOP
    offset = 5 + len(options) // 4
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, offset << 4, flags, window, 0, 0)
    return head + options + payload


def ipv4(
    source, target, segment, ttl=64, identifier=1, options=b"", total_length=None, fragment=0, protocol=_TCP
):
    """A packet; ``fragment`` is the field with its flags, ``total_length`` 0 as a card with TSO leaves it."""
    source, target = packed(source), packed(target)
    options += b"\0" * (-len(options) % 4)
    size = 20 + len(options)
    total = size + len(segment) if total_length is None else total_length
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, total, identifier, fragment, ttl, protocol, 0)
    head += source + target + options
    head = head[:10] + struct.pack("!H", 0xFFFF - ones_sum(head)) + head[12:]
    return head + _checked(segment, source + target, protocol)


def ipv6(source, target, segment, hop_limit=64, extension_headers=(), protocol=_TCP):
    """A packet; of an extension header there are its number and what follows its first two bytes."""
    source, target = packed(source), packed(target)
    payload, following = _checked(segment, source + target, protocol), protocol
    for number, body in reversed(extension_headers):
        body += bytes(-(len(body) + 2) % 8)
        size = len(body) + 2
        units = size // 4 - 2 if number == _AUTHENTICATION else size // 8 - 1
        payload = bytes([following, 0 if number == _FRAGMENT else units]) + body + payload
        following = number
    return struct.pack("!IHBB", 6 << 28, len(payload), following, hop_limit) + source + target + payload


def ethernet(packet, vlan=(), kind=None, padding=0):
    """A frame; of several VLAN tags the outer ones are the provider's (802.1ad)."""
    tags = [(_VLAN if number == len(vlan) else _PROVIDER_VLAN, tag) for number, tag in enumerate(vlan, 1)]
    head = b"\x02\0\0\0\0\2" + b"\x02\0\0\0\0\1" + b"".join(struct.pack("!HH", *tag) for tag in tags)
    return head + struct.pack("!H", kind or ethertype(packet)) + packet + bytes(padding)


def loopback_null(packet, order="<"):
    """BSD's loopback: the family in the byte order of whoever captured."""
    return struct.pack(f"{order}I", _AF_INET if packet[0] >> 4 == 4 else _AF_INET6) + packet


def loop(packet):
    """OpenBSD's loopback: the family in network order."""
    return loopback_null(packet, ">")


def raw(packet):
    """No link header at all."""
    return packet


def sll(packet):
    """Linux "cooked", as tcpdump -i any has it."""
    return struct.pack("!HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", ethertype(packet)) + packet


def sll2(packet):
    """Linux "cooked" of the second kind, which names the interface."""
    return struct.pack("!HHIHBB8s", ethertype(packet), 0, 2, 1, 0, 6, b"\2\0\0\0\0\1") + packet


#: Every link header with the number that files give it.
LINKS = {
    "ethernet": (ETHERNET, ethernet),
    "null": (NULL, loopback_null),
    "loop": (LOOP, loop),
    "raw": (RAW, raw),
    "sll": (SLL, sll),
    "sll2": (SLL2, sll2),
}


def ethertype(packet):
    """0x0800 or 0x86DD."""
    return 0x0800 if packet[0] >> 4 == 4 else 0x86DD


def packed(address):
    """``10.0.0.1`` as bytes."""
    return address if isinstance(address, bytes) else ipaddress.ip_address(address).packed


def _checked(segment, addresses, protocol):
    """The segment with its checksum (RFC 9293 section 3.1); as it is where it is too short to be TCP."""
    if protocol != _TCP or len(segment) < 20:
        return segment
    cleared = segment[:16] + b"\0\0" + segment[18:]
    pseudo = addresses + struct.pack("!II", len(segment), _TCP)
    checksum = 0xFFFF - ones_sum(pseudo + cleared)
    return cleared[:16] + struct.pack("!H", checksum) + cleared[18:]

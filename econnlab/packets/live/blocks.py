"""The blocks in which the kernel hands over packets (TPACKET_V3, packet_mmap.rst), read. Pure.

A block holds packets of any length one behind the other, so that small ones take little room.
"""

from __future__ import annotations

import struct

from econnlab.packets.frames import ETHERNET, RAW, Frame

#: struct tpacket_hdr_v1 behind the block's version: status, packets, offset of the first, bytes in use.
BLOCK = struct.Struct("=8xIIII")
STATUS_AT = 8
#: struct tpacket3_hdr and the sockaddr_ll behind it: offset of the next packet, s, ns, bytes captured, bytes
#: on the wire, where link and network header begin, and the interface's ARPHRD.
_PACKET = struct.Struct("=IIIII4xHH20x8xH").unpack_from
#: Interfaces whose packets begin with an Ethernet header: ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h).
_ETHERNET_HEADERS = (1, 772)
_NS = 1_000_000_000


def frames_in(block: bytes) -> list[Frame]:
    """The packets of ``block``, in order of time."""
    _, packets, at, _ = BLOCK.unpack_from(block)
    frames: list[Frame] = []
    add, new = frames.append, tuple.__new__  # half the time of Frame(...)
    last, sorted_so_far = 0, True
    for _ in range(packets):
        step, seconds, ns, captured, length, begins, network, hardware = _PACKET(block, at)
        at_ns = seconds * _NS + ns
        if at_ns < last:
            sorted_so_far = False
        last = at_ns
        if hardware in _ETHERNET_HEADERS:
            begin = at + begins
            add(new(Frame, (at_ns, ETHERNET, block[begin : begin + captured], length, "")))
        else:  # Without a link header that is known, a packet begins with IP, as on a TUN device.
            cut = network - begins
            begin = at + network
            add(new(Frame, (at_ns, RAW, block[begin : begin + captured - cut], length - cut, "")))
        at += step
    if not sorted_so_far:  # each processor stamps its packets before they line up (tpacket_rcv())
        frames.sort(key=lambda frame: frame.at_ns)
    return frames

"""A TCP segment as it was captured, and the headers that most of them have in front."""

from __future__ import annotations

import struct
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10  # RFC 9293 section 3.1

#: Ethernet, IPv4 and TCP without options, in few fields: EtherType with version and header length, total
#: length, identification, fragment, TTL with protocol, both ends, sequence and acknowledgment number, and
#: the offset with the flags.
COMMON = struct.Struct("!12xIHHHH2x12sIIH").unpack_from
COMMON_SIZE = 54
#: What the first and the fifth field hold then, but for the type of service: a header of 20 bytes, and TCP.
PLAIN, PLAIN_MASK = 0x08004500, 0xFFFFFF00
TCP = 6
#: The fragment field without the "don't fragment" bit: 0 in a packet that is whole.
FRAGMENT = 0x3FFF


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

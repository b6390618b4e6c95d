"""What a capture holds, whatever its format."""

from __future__ import annotations

from typing import NamedTuple

from econnlab.errors import UsageProblem

#: Link types (https://www.tcpdump.org/linktypes.html).
NULL, ETHERNET, RAW_OLD_14, RAW_OLD_12, RAW, LOOP, SLL = 0, 1, 14, 12, 101, 108, 113
IPV4, IPV6, SLL2, PPP = 228, 229, 276, 9

#: No capture holds a longer packet: libpcap's MAXIMUM_SNAPLEN.
LONGEST_FRAME = 262_144


class Frame(NamedTuple):
    """One captured packet, from its link header on; ``data`` may be cut short by the snapshot length."""

    #: Nanoseconds since the epoch.
    at_ns: int
    link_type: int
    data: bytes
    #: Bytes it had on the wire.
    length: int
    comment: str = ""


class MalformedCapture(UsageProblem):
    """The file is no capture, or breaks off its own format; the message names the offset in bytes."""

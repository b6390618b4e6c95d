"""GTP-U, the user's packets in a mobile network (3GPP TS 29.281)."""

from __future__ import annotations

from econnlab.packets.steps import Step, ip

UDP_PORTS = (2152,)
_G_PDU = 255
_OPTIONAL, _EXTENSION = 0x07, 0x04
_MOST_EXTENSIONS = 8


def inner(data: bytes, at: int) -> Step | None:
    """Skip eight bytes, four optional ones, and extension headers, each with its length in units of four."""
    if len(data) < at + 12 or data[at] >> 5 != 1 or data[at + 1] != _G_PDU:
        return None
    begin = at + 8
    if data[at] & _OPTIONAL:
        following = data[begin + 3] if data[at] & _EXTENSION else 0
        begin += 4
        for _ in range(_MOST_EXTENSIONS):
            if not following:
                break
            size = data[begin] * 4 if len(data) > begin else 0
            if not size or len(data) < begin + size:
                return None
            following = data[begin + size - 1]
            begin += size
    return ip(begin) if len(data) > begin else None

"""Geneve (RFC 8926): eight bytes and options behind UDP, then what its protocol type names."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind, frame

UDP_PORTS = (6081,)
_BRIDGED = 0x6558


def inner(data: bytes, at: int) -> Step | None:
    """Skip header and options."""
    if len(data) < at + 8 or data[at] >> 6:
        return None
    kind, begin = data[at + 2] << 8 | data[at + 3], at + 8 + (data[at] & 0x3F) * 4
    return frame(begin) if kind == _BRIDGED else behind(kind, begin)

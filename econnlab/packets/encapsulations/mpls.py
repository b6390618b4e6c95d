"""MPLS labels (RFC 3032): four bytes each, up to the one with the bottom-of-stack bit."""

from __future__ import annotations

from econnlab.packets.steps import Step, frame, ip

ETHERTYPES = (0x8847, 0x8848)
_MOST_LABELS = 16


def inner(data: bytes, at: int) -> Step | None:
    """Behind the labels stands IP, or an Ethernet frame, with or without a control word (RFC 4448)."""
    for _ in range(_MOST_LABELS):
        if len(data) < at + 5:
            return None
        bottom = data[at + 2] & 1
        at += 4
        if bottom:
            break
    else:
        return None
    first = data[at] >> 4
    if first in (4, 6):
        return ip(at)
    return frame(at + 4 if data[at : at + 2] == b"\0\0" else at)

"""PPPoE sessions (RFC 2516) and the PPP in them."""

from __future__ import annotations

from econnlab.packets.steps import Step, ip

ETHERTYPES = (0x8864,)
_HEAD = 6
_IPV4, _IPV6 = 0x0021, 0x0057


def inner(data: bytes, at: int) -> Step | None:
    """Skip the six bytes of PPPoE, then PPP's protocol number."""
    return ppp(data, at + _HEAD)


def ppp(data: bytes, at: int) -> Step | None:
    """PPP's protocol has one or two bytes (RFC 1661 section 6.5), perhaps behind address and control."""
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    if len(data) < at + 2:
        return None
    number, size = (data[at], 1) if data[at] & 1 else (data[at] << 8 | data[at + 1], 2)
    return ip(at + size) if number in (_IPV4, _IPV6) else None

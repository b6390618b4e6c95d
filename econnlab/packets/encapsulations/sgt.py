"""Cisco metadata with the security group tag (EtherType 0x8909), as TrustSec puts it behind the addresses."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind

ETHERTYPES = (0x8909,)
#: Version and length, both in the first two bytes; the length counts units of 4 bytes of options.
_HEAD = 2


def inner(data: bytes, at: int) -> Step | None:
    """Skip version, length and options; the EtherType of the payload follows."""
    if len(data) < at + 8:
        return None
    options = max(1, data[at + 1]) * 4
    end = at + _HEAD + options
    return behind(data[end] << 8 | data[end + 1], end + 2) if len(data) >= end + 2 else None

"""VLAN tags (IEEE 802.1Q, 802.1ad and its forerunners): four bytes until the next EtherType."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind

ETHERTYPES = (0x8100, 0x88A8, 0x9100, 0x9200)


def inner(data: bytes, at: int) -> Step | None:
    """Skip one tag."""
    return behind(data[at + 2] << 8 | data[at + 3], at + 4) if len(data) >= at + 4 else None

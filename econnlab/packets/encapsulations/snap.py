"""IEEE 802.3 frames: a length in place of the EtherType, then LLC with a SNAP header (RFC 1042)."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind

#: Numbers up to this are lengths (IEEE 802.3 section 3.2.6).
LONGEST = 1500
_LLC_SNAP = b"\xaa\xaa\x03"


def inner(data: bytes, at: int) -> Step | None:
    """The EtherType stands behind three bytes of LLC and three of the organisation."""
    if data[at : at + 3] != _LLC_SNAP or len(data) < at + 8:
        return None
    return behind(data[at + 6] << 8 | data[at + 7], at + 8)

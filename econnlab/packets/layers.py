"""From a frame to the TCP segment in it, whatever headers stand in front."""

from __future__ import annotations

from econnlab.packets.dissect import dissect
from econnlab.packets.segments import ACK, FIN, PSH, RST, SYN, Segment, ends_of

__all__ = ["ACK", "FIN", "PSH", "RST", "SYN", "Segment", "ends_of", "segment"]


def segment(link_type: int, data: bytes, length: int) -> Segment | None:
    """The segment in a frame of ``length`` bytes on the wire, of which ``data`` was captured.

    None for anything else: other protocols, fragments, headers that were cut off.
    """
    found = dissect(link_type, data, length)
    return found if isinstance(found, Segment) else None

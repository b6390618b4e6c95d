"""GRE (RFC 2784, RFC 2890), and the Ethernet frames that ERSPAN mirrors in it."""

from __future__ import annotations

from econnlab.packets.steps import Step, behind, frame

IP_PROTOCOLS = (47,)
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE = 0x8000, 0x4000, 0x2000, 0x1000
_ERSPAN_II, _ERSPAN_III, _BRIDGED = 0x88BE, 0x22EB, 0x6558
#: draft-foschiano-erspan-03: type II has 8 bytes, III has 12 and, with its O bit, 8 more.
_II_SIZE, _III_SIZE, _III_MORE = 8, 12, 8


def inner(data: bytes, at: int) -> Step | None:
    """Skip the optional fields; version 1 (PPTP) is not read."""
    if len(data) < at + 4:
        return None
    flags, kind = data[at] << 8 | data[at + 1], data[at + 2] << 8 | data[at + 3]
    if flags & 7 or flags & _ROUTING:
        return None
    begin = at + 4 + 4 * sum(bool(flags & bit) for bit in (_CHECKSUM, _KEY, _SEQUENCE))
    if kind == _ERSPAN_II:
        # Type I has no header of its own, and then no sequence number in GRE.
        return frame(begin + _II_SIZE if flags & _SEQUENCE else begin)
    if kind == _ERSPAN_III:
        more = _III_MORE if len(data) > begin + 11 and data[begin + 11] & 1 else 0
        return frame(begin + _III_SIZE + more)
    return frame(begin) if kind == _BRIDGED else behind(kind, begin)

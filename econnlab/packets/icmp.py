"""ICMP errors: what a router or host says about a packet that it could not pass on (RFC 792, RFC 4443)."""

from __future__ import annotations

from typing import NamedTuple

_UNREACHABLE, _EXCEEDED = 3, 11
_UNREACHABLE6, _TOO_BIG6, _EXCEEDED6 = 1, 2, 3
FRAGMENTATION_NEEDED = "fragmentation needed"
_FOUR = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: FRAGMENTATION_NEEDED,
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "communication administratively prohibited",
}
_SIX = {
    0: "no route",
    1: "communication administratively prohibited",
    3: "address unreachable",
    4: "port unreachable",
}
_TCP = 6


class Icmp(NamedTuple):
    """An error about a TCP segment."""

    #: ``ends`` of the segment that could not be passed on.
    ends: bytes
    #: Who says so: an address of 4 or 16 bytes.
    source: bytes
    #: ``host unreachable``
    said: str
    #: The largest packet that would pass, if it says so; else 0.
    mtu: int


def read(data: bytes, at: int, source: bytes) -> Icmp | None:
    """The error in the ICMP message at ``at``, sent by ``source``; None for other messages."""
    if len(data) < at + 8:
        return None
    kind, code = data[at], data[at + 1]
    if len(source) == 4:
        said = (
            _FOUR.get(code)
            if kind == _UNREACHABLE
            else "time to live exceeded"
            if kind == _EXCEEDED
            else None
        )
        mtu = data[at + 6] << 8 | data[at + 7]
        ends = _quoted4(data, at + 8)
    else:
        said = {
            _UNREACHABLE6: _SIX.get(code),
            _TOO_BIG6: FRAGMENTATION_NEEDED,
            _EXCEEDED6: "hop limit exceeded",
        }.get(kind)
        mtu = int.from_bytes(data[at + 4 : at + 8], "big")
        ends = _quoted6(data, at + 8)
    if said is None or not ends:
        return None
    return Icmp(ends, source, said, mtu if said == FRAGMENTATION_NEEDED else 0)


def _quoted4(data: bytes, at: int) -> bytes:
    if len(data) < at + 20 or data[at] >> 4 != 4 or data[at + 9] != _TCP:
        return b""
    ports = at + (data[at] & 15) * 4
    return data[at + 12 : at + 20] + data[ports : ports + 4] if len(data) >= ports + 4 else b""


def _quoted6(data: bytes, at: int) -> bytes:
    if len(data) < at + 44 or data[at] >> 4 != 6 or data[at + 6] != _TCP:
        return b""
    return data[at + 8 : at + 44]

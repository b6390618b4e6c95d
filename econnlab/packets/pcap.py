"""pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from econnlab.packets.frames import LONGEST_FRAME, Frame, MalformedCapture, Raw, frame_of

if TYPE_CHECKING:
    from econnlab.packets.source import Source

#: How a file begins: the byte order of its numbers, and what the second half of a time counts, in ns.
_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
_HEADER, _RECORD = 24, 16
#: The upper half of the link type tells of frame check sequences, where a packet has one (its bits R and P).
_LINK_TYPE = 0xFFFF
_NS = 1_000_000_000


def begins(magic: bytes) -> bool:
    """A file that starts with ``magic`` is a pcap."""
    return magic[:4] in _MAGICS


#: No packet on a wire is empty. A few are damage; more are zeros, of which gzip packs gigabytes into little.
MOST_EMPTY = 100_000


class PcapReader:
    """The packets of a pcap."""

    def __init__(self, source: Source) -> None:
        self.cut_at: int | None = None
        self._source = source
        header = source.take(_HEADER)
        if len(header) < _HEADER:
            raise MalformedCapture(f"The file ends in its pcap header, at offset {len(header)}.")
        self._order, self._unit_ns = _MAGICS[header[:4]]
        major, minor = struct.unpack_from(f"{self._order}HH", header, 4)
        if major != 2:
            raise MalformedCapture(f"pcap of version {major}.{minor} at offset 4 is not read, only 2.4.")
        self._link_type = struct.unpack_from(f"{self._order}I", header, 20)[0] & _LINK_TYPE

    def __iter__(self) -> Iterator[Frame]:
        return (frame_of(raw) for block in self.blocks() for raw in block)

    def blocks(self) -> Iterator[list[Raw]]:
        """The packets, as many at a time as the buffer holds. Raises MalformedCapture."""
        source, unit_ns, link_type = self._source, self._unit_ns, self._link_type
        unpack = struct.Struct(f"{self._order}IIII").unpack_from
        empty = 0
        while source.has(_RECORD):
            buffer, at, end = source.buffer, source.at, len(source.buffer)
            captured = 0
            block: list[Raw] = []
            add = block.append
            while (begin := at + _RECORD) <= end:
                seconds, fraction, captured, length = unpack(buffer, at)
                after = begin + captured
                if after > end or captured > LONGEST_FRAME:
                    break
                if not length:
                    empty += 1
                    if empty > MOST_EMPTY:
                        source.at = at
                        raise MalformedCapture(
                            f"Damaged at offset {source.offset}: more than {MOST_EMPTY} packets of 0 bytes."
                        )
                add((seconds * _NS + fraction * unit_ns, link_type, buffer, begin, captured, length, ""))
                at = after
            source.at = at
            if block:
                yield block
            if begin <= end and not self._reaches(captured):
                break
        if source.offset < source.end or source.broken:
            self.cut_at = source.end

    def _reaches(self, captured: int) -> bool:
        """The packet at hand, of which the buffer holds the beginning, is in the file to its end."""
        if captured > LONGEST_FRAME:
            raise MalformedCapture(
                f"Damaged at offset {self._source.offset + 8}: a packet of {captured} bytes is more than "
                f"{LONGEST_FRAME}."
            )
        return self._source.has(_RECORD + captured)

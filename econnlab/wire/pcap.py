"""pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from econnlab.wire.frames import LONGEST_FRAME, Frame, MalformedCapture

if TYPE_CHECKING:
    from econnlab.wire.reading import Source

#: How a file begins: the byte order of its numbers, and what the second half of a time counts, in ns.
_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
_HEADER, _RECORD = 24, 16
#: The upper bits of the link type tell of frame check sequences.
_LINK_TYPE = 0x0FFFFFFF


def begins(magic: bytes) -> bool:
    """A file that starts with ``magic`` is a pcap."""
    return magic[:4] in _MAGICS


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
        source, unit_ns, link_type = self._source, self._unit_ns, self._link_type
        record = struct.Struct(f"{self._order}IIII")
        while len(head := source.take(_RECORD)) == _RECORD:
            seconds, fraction, captured, length = record.unpack(head)
            if captured > LONGEST_FRAME:
                raise MalformedCapture(
                    f"Damaged at offset {source.offset - 8}: a packet of {captured} bytes is more than "
                    f"{LONGEST_FRAME}."
                )
            data = source.take(captured)
            if len(data) < captured:
                self.cut_at = source.offset
                return
            yield Frame(seconds * 1_000_000_000 + fraction * unit_ns, link_type, data, length)
        if head or source.broken:
            self.cut_at = source.offset

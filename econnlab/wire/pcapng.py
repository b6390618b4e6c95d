"""pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.wire.frames import LONGEST_FRAME, Frame, MalformedCapture

if TYPE_CHECKING:
    from econnlab.wire.reading import Source

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
#: The shortest block of each kind, with its frame of 12 bytes.
_SHORTEST = {_SECTION: 28, _INTERFACE: 20, _OLD_PACKET: 32, _SIMPLE_PACKET: 16, _PACKET: 32}
#: A block that is read whole is no longer than a packet and its options; others are passed over.
_LONGEST_BLOCK = LONGEST_FRAME + (1 << 20)
# Options
_COMMENT, _RESOLUTION, _OFFSET = 1, 9, 14
_POWER_OF_TWO = 0x80
_NS = 1_000_000_000


def begins(magic: bytes) -> bool:
    """A file that starts with ``magic`` is a pcapng."""
    return magic[:4] == b"\x0a\x0d\x0d\x0a"


@dataclass(frozen=True, slots=True)
class _Interface:
    link_type: int
    snaplen: int
    #: Ticks of the interface's clock since the epoch, as ns.
    to_ns: Callable[[int], int]


class PcapngReader:
    """The packets of a pcapng, of all its sections and interfaces; other blocks are passed over."""

    def __init__(self, source: Source) -> None:
        self.cut_at: int | None = None
        self._source = source
        self._order = "<"
        self._interfaces: list[_Interface] = []

    def __iter__(self) -> Iterator[Frame]:
        readers = {
            _SECTION: self._section,
            _INTERFACE: self._interface,
            _OLD_PACKET: self._old_packet,
            _SIMPLE_PACKET: self._simple_packet,
            _PACKET: self._packet,
        }
        source = self._source
        while head := source.take(8):
            began = source.offset - len(head)
            if len(head) < 8:
                self.cut_at = source.offset
                return
            kind, length = struct.unpack(f"{self._order}II", head)
            if kind == _SECTION:  # the same in both orders
                length = self._section_length(head, began)
            if length % 4 or length < _SHORTEST.get(kind, 12):
                raise _damaged(began + 4, f"a block of {length} bytes")
            reader = readers.get(kind)
            if reader is None:
                complete = source.skip(length - 8) == length - 8
                body = b""
            else:
                if length > _LONGEST_BLOCK:
                    raise _damaged(began + 4, f"a block of {length} bytes")
                body = source.take(length - 8)
                complete = len(body) == length - 8
            if not complete:
                self.cut_at = source.offset
                return
            if reader is not None:
                if struct.unpack_from(f"{self._order}I", body, length - 12)[0] != length:
                    raise _damaged(began + length - 4, "the two lengths of a block that differ")
                frame = reader(body, length - 12, began)
                if frame is not None:
                    yield frame
        if source.broken:
            self.cut_at = source.offset

    def _section_length(self, head: bytes, began: int) -> int:
        magic = self._source.peek(4)
        if len(magic) == 4 and magic not in _ORDERS:
            raise _damaged(began + 8, f"a byte order of {magic.hex(' ')}")
        self._order = _ORDERS.get(magic, "<")
        return int(struct.unpack_from(f"{self._order}I", head, 4)[0])

    def _section(self, body: bytes, end: int, began: int) -> None:
        (major,) = struct.unpack_from(f"{self._order}H", body, 4)
        if major != 1:
            raise _damaged(began + 12, f"pcapng of version {major}")
        self._interfaces = []

    def _interface(self, body: bytes, end: int, began: int) -> None:
        link_type, snaplen = struct.unpack_from(f"{self._order}H2xI", body)
        resolution, offset_s = 6, 0
        for code, value in self._options(body, 8, end):
            if code == _RESOLUTION and len(value) == 1:
                resolution = value[0]
            elif code == _OFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        self._interfaces.append(_Interface(link_type, snaplen, _clock(resolution, offset_s * _NS)))

    def _packet(self, body: bytes, end: int, began: int) -> Frame:
        number, high, low, captured, length = struct.unpack_from(f"{self._order}IIIII", body)
        return self._frame(number, high << 32 | low, captured, length, body, 20, end, began)

    def _old_packet(self, body: bytes, end: int, began: int) -> Frame:
        number, _, high, low, captured, length = struct.unpack_from(f"{self._order}HHIIII", body)
        return self._frame(number, high << 32 | low, captured, length, body, 20, end, began)

    def _simple_packet(self, body: bytes, end: int, began: int) -> Frame:
        """It has no time: 0, as tshark reads it."""
        (length,) = struct.unpack_from(f"{self._order}I", body)
        snaplen = self._interfaces[0].snaplen if self._interfaces else 0
        captured = min(length, snaplen or length, end - 4)
        frame = self._frame(0, 0, captured, length, body, 4, end, began, options=False)
        return frame._replace(at_ns=0)

    def _frame(
        self,
        number: int,
        ticks: int,
        captured: int,
        length: int,
        body: bytes,
        at: int,
        end: int,
        began: int,
        *,
        options: bool = True,
    ) -> Frame:
        if number >= len(self._interfaces):
            raise _damaged(began + 8, f"a packet of interface {number}, which was not announced")
        after = at + captured
        if captured > LONGEST_FRAME or after > end:
            raise _damaged(began + 20, f"a packet of {captured} bytes in a block of {end + 12}")
        interface = self._interfaces[number]
        options_at = after + -captured % 4
        comment = self._comments(body, options_at, end) if options and options_at < end else ""
        return Frame(interface.to_ns(ticks), interface.link_type, body[at:after], length, comment)

    def _comments(self, body: bytes, at: int, end: int) -> str:
        texts = [
            value.decode("utf-8", "replace") for code, value in self._options(body, at, end) if code == 1
        ]
        return "\n".join(texts)

    def _options(self, body: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        head = struct.Struct(f"{self._order}HH")
        while at + 4 <= end:
            code, length = head.unpack_from(body, at)
            if code == 0 or at + 4 + length > end:  # what is cut off is not worth losing the packet
                return
            yield code, body[at + 4 : at + 4 + length]
            at += 4 + length + -length % 4


def _clock(resolution: int, offset_ns: int) -> Callable[[int], int]:
    """From ticks to ns: the resolution is a power of ten, or of two where its highest bit is set."""
    exponent = resolution & 0x7F
    if resolution & _POWER_OF_TWO:
        return lambda ticks: (ticks * _NS >> exponent) + offset_ns
    if exponent <= 9:
        unit_ns = 10 ** (9 - exponent)
        return lambda ticks: ticks * unit_ns + offset_ns
    divisor = 10 ** (exponent - 9)
    return lambda ticks: ticks // divisor + offset_ns


def _damaged(offset: int, what: str) -> MalformedCapture:
    return MalformedCapture(f"Damaged at offset {offset}: {what}.")

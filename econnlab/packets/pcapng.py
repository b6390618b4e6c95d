"""pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from econnlab.packets.frames import LONGEST_FRAME, Frame, MalformedCapture, Raw, frame_of, raw_of

if TYPE_CHECKING:
    from econnlab.packets.source import Source

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
#: The shortest block of each kind, with its frame of 12 bytes.
_SHORTEST = {_SECTION: 28, _INTERFACE: 20, _OLD_PACKET: 32, _SIMPLE_PACKET: 16, _PACKET: 32}
#: A block that is read whole is no longer than a packet and its options; others are passed over.
_LONGEST_BLOCK = LONGEST_FRAME + (1 << 20)
#: Nobody has more; a file that announces more would fill the memory.
_MOST_INTERFACES = 65_536
#: A packet's block up to its bytes.
_PACKET_HEAD = 28
# Options
_RESOLUTION, _OFFSET = 9, 14
_COMMENTS, _CLOCKS = frozenset({1}), frozenset({_RESOLUTION, _OFFSET})
_POWER_OF_TWO = 0x80
_NS = 1_000_000_000


def begins(magic: bytes) -> bool:
    """A file that starts with ``magic`` is a pcapng."""
    return magic[:4] == b"\x0a\x0d\x0d\x0a"


class _Interface(NamedTuple):
    link_type: int
    snaplen: int
    #: What a tick of its clock is; 0 where only ``clock`` can tell.
    unit_ns: int
    offset_ns: int
    #: Ticks as ns, without the offset.
    clock: Callable[[int], int]


class PcapngReader:
    """The packets of a pcapng, of all its sections and interfaces; other blocks are passed over."""

    def __init__(self, source: Source) -> None:
        self.cut_at: int | None = None
        self._source = source
        self._order = "<"
        self._head = struct.Struct("<7I")
        self._option = struct.Struct("<HH")
        self._interfaces: list[_Interface] = []
        self._readers = {
            _SECTION: self._section,
            _INTERFACE: self._interface,
            _OLD_PACKET: self._old_packet,
            _SIMPLE_PACKET: self._simple_packet,
            _PACKET: self._packet,
        }

    def __iter__(self) -> Iterator[Frame]:
        return (frame_of(raw) for block in self.blocks() for raw in block)

    def blocks(self) -> Iterator[list[Raw]]:
        """The packets, as many at a time as the buffer holds. Raises MalformedCapture.

        Packets that the buffer holds whole are read here; all else, and what is damaged, by ``_block``.
        """
        source = self._source
        while source.has(8):
            buffer, at, end = source.buffer, source.at, len(source.buffer)
            block: list[Raw] = []
            add = block.append
            unpack, interfaces, known = self._head.unpack_from, self._interfaces, len(self._interfaces)
            while (begin := at + _PACKET_HEAD) <= end:
                kind, length, number, high, low, captured, size = unpack(buffer, at)
                after, data_end = at + length, begin + captured
                options = data_end + (-captured & 3)
                if kind != _PACKET or after > end or options + 4 > after or number >= known or length & 3:
                    break
                if captured > LONGEST_FRAME or buffer[after - 4 : after] != buffer[at + 4 : at + 8]:
                    break
                link_type, _, unit_ns, offset_ns, clock = interfaces[number]
                ticks = high << 32 | low
                ns = (ticks * unit_ns if unit_ns else clock(ticks)) + offset_ns
                comment = self._comments(buffer, options, after - 4) if options + 4 < after else ""
                add((ns, link_type, buffer, begin, captured, size, comment))
                at = after
            source.at = at
            if block:
                yield block
            if at < end:
                frame = self._block()
                if self.cut_at is not None:
                    return
                if frame is not None:
                    yield [raw_of(frame)]
        if source.offset < source.end or source.broken:
            self.cut_at = source.end

    def _block(self) -> Frame | None:
        """The packet in the block that comes, if it is one's; sets ``cut_at`` where the file ends in it."""
        source = self._source
        began = source.offset
        head = source.peek(12)
        if len(head) < 12:
            self.cut_at = source.end
            return None
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            self._ordered(head[8:], began)
        kind, length = struct.unpack_from(f"{self._order}II", head)
        reader = self._readers.get(kind)
        if length % 4 or length < _SHORTEST.get(kind, 12) or (reader is not None and length > _LONGEST_BLOCK):
            raise _damaged(began + 4, f"a block of {length} bytes")
        body = b""
        if reader is not None:
            body = source.take(length - 4)[8:]
            complete = len(body) == length - 12
        else:
            complete = source.skip(length - 4)
        last = source.take(4)
        if not complete or len(last) < 4:
            self.cut_at = source.end
            return None
        if last != head[4:8]:
            raise _damaged(began + length - 4, "the two lengths of a block that differ")
        return reader(body, began) if reader is not None else None

    def _ordered(self, magic: bytes, began: int) -> None:
        if magic not in _ORDERS:
            raise _damaged(began + 8, f"a byte order of {magic.hex(' ')}")
        self._order = _ORDERS[magic]
        self._head = struct.Struct(f"{self._order}7I")
        self._option = struct.Struct(f"{self._order}HH")

    def _section(self, body: bytes, began: int) -> None:
        (major,) = struct.unpack_from(f"{self._order}H", body, 4)
        if major != 1:
            raise _damaged(began + 12, f"pcapng of version {major}")
        self._interfaces = []

    def _interface(self, body: bytes, began: int) -> None:
        if len(self._interfaces) == _MOST_INTERFACES:
            raise _damaged(began, f"more than {_MOST_INTERFACES} interfaces")
        link_type, snaplen = struct.unpack_from(f"{self._order}H2xI", body)
        resolution, offset_s = 6, 0
        for code, value in self._options(body, 8, len(body), _CLOCKS):
            if code == _RESOLUTION and len(value) == 1:
                resolution = value[0]
            elif code == _OFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        unit_ns = 10 ** (9 - resolution) if resolution <= 9 else 0
        self._interfaces.append(_Interface(link_type, snaplen, unit_ns, offset_s * _NS, _clock(resolution)))

    def _packet(self, body: bytes, began: int) -> Frame:
        number, high, low, captured, length = struct.unpack_from(f"{self._order}IIIII", body)
        return self._frame(number, high << 32 | low, captured, length, body, began)

    def _old_packet(self, body: bytes, began: int) -> Frame:
        number, _, high, low, captured, length = struct.unpack_from(f"{self._order}HHIIII", body)
        return self._frame(number, high << 32 | low, captured, length, body, began)

    def _simple_packet(self, body: bytes, began: int) -> Frame:
        """It has no time: 0, as tshark reads it."""
        if not self._interfaces:
            raise _damaged(began, "a packet of an interface that was not announced")
        (length,) = struct.unpack_from(f"{self._order}I", body)
        snaplen = self._interfaces[0].snaplen
        captured = min(length, snaplen or length)
        if captured > LONGEST_FRAME or 4 + captured > len(body):
            raise _damaged(began + 8, f"a packet of {captured} bytes in a block of {len(body) + 12}")
        return Frame(0, self._interfaces[0].link_type, body[4 : 4 + captured], length)

    def _frame(self, number: int, ticks: int, captured: int, length: int, body: bytes, began: int) -> Frame:
        if number >= len(self._interfaces):
            raise _damaged(began + 8, f"a packet of interface {number}, which was not announced")
        after = 20 + captured
        if captured > LONGEST_FRAME or after > len(body):
            raise _damaged(began + 20, f"a packet of {captured} bytes in a block of {len(body) + 12}")
        interface = self._interfaces[number]
        ns = interface.clock(ticks) + interface.offset_ns
        comment = self._comments(body, after + -captured % 4, len(body))
        return Frame(ns, interface.link_type, body[20:after], length, comment)

    def _comments(self, body: bytes, at: int, end: int) -> str:
        texts = self._options(body, at, end, _COMMENTS)
        return "\n".join(text.decode("utf-8", "replace") for _, text in texts) if texts else ""

    def _options(self, body: bytes, at: int, end: int, wanted: frozenset[int]) -> list[tuple[int, bytes]]:
        unpack = self._option.unpack_from
        options = []
        while at + 4 <= end:
            code, length = unpack(body, at)
            at += 4
            if code == 0 or at + length > end:  # what is cut off is not worth losing the packet
                break
            if code in wanted:
                options.append((code, body[at : at + length]))
            at += (length + 3) & -4
        return options


def _clock(resolution: int) -> Callable[[int], int]:
    """From ticks to ns: the resolution is a power of ten, or of two where its highest bit is set."""
    exponent = resolution & 0x7F
    if resolution & _POWER_OF_TWO:
        return lambda ticks: ticks * _NS >> exponent
    if exponent <= 9:
        unit_ns = 10 ** (9 - exponent)
        return lambda ticks: ticks * unit_ns
    divisor = 10 ** (exponent - 9)
    return lambda ticks: ticks // divisor


def _damaged(offset: int, what: str) -> MalformedCapture:
    return MalformedCapture(f"Damaged at offset {offset}: {what}.")

"""Capture files for tests, as bytes: pcap and pcapng with all that the formats allow."""

import struct
from dataclasses import dataclass, field

from econnlab.packets.frames import Frame

_NS = 1_000_000_000
UNKNOWN_BLOCK, CUSTOM_BLOCK = 0x0000F00D, 0x00000BAD


def pcap_bytes(frames, order="<", nanoseconds=False, link_type=1, snaplen=65535, minor=4):
    """A pcap of ``frames``, whose times are cut to what it can hold; their link types are not looked at."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, minor, 0, 0, snaplen, link_type)]
    for frame in frames:
        seconds, rest = divmod(frame.at_ns, _NS)
        kept = frame.data[:snaplen]
        parts += [struct.pack(f"{order}IIII", seconds, rest // unit, len(kept), frame.length), kept]
    return b"".join(parts)


@dataclass(frozen=True)
class Interface:
    """An interface of a pcapng; ``resolution`` and ``offset_s`` None where the option is to be left out."""

    link_type: int = 1
    snaplen: int = 0
    #: The option's byte: a power of ten, or of two with its highest bit set.
    resolution: int | None = None
    offset_s: int | None = None

    def ticks(self, at_ns):
        """Of its clock, for this time, rounded down."""
        resolution = 6 if self.resolution is None else self.resolution
        units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        return (at_ns - (self.offset_s or 0) * _NS) * units // _NS

    def time_ns(self, ticks):
        """What this many ticks are, rounded down."""
        resolution = 6 if self.resolution is None else self.resolution
        units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        return ticks * _NS // units + (self.offset_s or 0) * _NS


@dataclass
class Section:
    """A section of a pcapng, block by block; its bytes are ``bytes(section)``."""

    order: str = "<"
    comment: str = ""
    #: Bytes of the section, -1 where it does not say.
    length: int = -1
    interfaces: list[Interface] = field(default_factory=list)

    def __post_init__(self):
        body = struct.pack(f"{self.order}IHHq", 0x1A2B3C4D, 1, 0, self.length)
        self.blocks = [self._block(0x0A0D0D0A, body + self.options((1, self.comment.encode())))]

    def __bytes__(self):
        return b"".join(self.blocks)

    def interface(self, interface):
        """Announce an interface; its number."""
        options = [(2, b"eth0")]
        if interface.resolution is not None:
            options.append((9, bytes([interface.resolution])))
        if interface.offset_s is not None:
            options.append((14, struct.pack(f"{self.order}q", interface.offset_s)))
        body = struct.pack(f"{self.order}HHI", interface.link_type, 0, interface.snaplen)
        self.block(1, body + self.options(*options))
        self.interfaces.append(interface)
        return len(self.interfaces) - 1

    def packet(self, number, frame, *options):
        """The enhanced packet block; ``options`` beside the comment are (code, bytes)."""
        ticks = self.interfaces[number].ticks(frame.at_ns)
        head = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.length)
        self._packet(6, struct.pack(f"{self.order}5I", *head), frame, *options)

    def old_packet(self, number, frame, *options, drops=0xFFFF):
        """The obsolete packet block."""
        ticks = self.interfaces[number].ticks(frame.at_ns)
        head = (number, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.length)
        self._packet(2, struct.pack(f"{self.order}2H4I", *head), frame, *options)

    def simple_packet(self, frame):
        """The simple packet block: of the first interface, without time and comment."""
        self.block(3, struct.pack(f"{self.order}I", frame.length) + padded(frame.data))

    def names(self):
        """A block that says who is 10.0.0.1."""
        record = struct.pack(f"{self.order}HH", 1, 9) + padded(b"\x0a\0\0\1host\0")
        self.block(4, record + bytes(4))

    def statistics(self, number=0):
        """A block that counts what the interface lost."""
        lost = struct.pack(f"{self.order}Q", 7)
        self.block(5, struct.pack(f"{self.order}III", number, 0, 1) + self.options((5, lost)))

    def block(self, kind, body):
        """A block of any kind."""
        self.blocks.append(self._block(kind, body))

    def options(self, *options):
        """Those of (code, bytes) that are not empty, with their end; nothing where there are none."""
        parts = [
            struct.pack(f"{self.order}HH", code, len(value)) + padded(value)
            for code, value in options
            if value
        ]
        return b"".join(parts) + bytes(4) if parts else b""

    def _packet(self, kind, head, frame, *options):
        options = self.options((1, frame.comment.encode()), *options)
        self.block(kind, head + padded(frame.data) + options)

    def _block(self, kind, body):
        length = len(body) + 12
        return struct.pack(f"{self.order}II", kind, length) + body + struct.pack(f"{self.order}I", length)


def pcapng_bytes(frames, order="<", interfaces=None, others=False):
    """One section: frames turn about on the ``interfaces`` of their link type, between ``others``."""
    section = Section(order)
    links = sorted({frame.link_type for frame in frames})
    for interface in interfaces or [Interface(link_type) for link_type in links]:
        section.interface(interface)
    for count, frame in enumerate(frames):
        fitting = [n for n, each in enumerate(section.interfaces) if each.link_type == frame.link_type]
        if others:
            section.block(UNKNOWN_BLOCK, padded(b"unknown"))
            section.block(CUSTOM_BLOCK, struct.pack(f"{order}I", 32473) + b"data")
        section.packet(fitting[count % len(fitting)], frame)
    if others:
        section.names()
        section.statistics()
    return bytes(section)


def padded(data):
    """To a multiple of four bytes."""
    return data + bytes(-len(data) % 4)


def frame_of(data, at_ns=0, link_type=1, comment="", length=None):
    """A frame that was captured whole, or of ``length`` bytes."""
    return Frame(at_ns, link_type, data, len(data) if length is None else length, comment)

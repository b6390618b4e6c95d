"""Captures, written: pcapng, which holds nanoseconds, several interfaces, and a comment for a packet.

https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html, here in the byte order of this machine's
most frequent kind, little endian, whatever the machine is.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC = 0x1A2B3C4D
_LENGTH_UNKNOWN = 0xFFFFFFFFFFFFFFFF
# Options
_END, _COMMENT, _APPLICATION, _NAME, _RESOLUTION = 0, 1, 4, 2, 9
_NANOSECONDS = b"\x09"
#: An option's length is 16 bits.
_LONGEST_TEXT = 65_000


class PcapngWriter:
    """Writes one section to ``stream``, which its owner closes.

    ``snaplen`` is the most bytes of a packet that are kept, 0 for all of them.
    """

    def __init__(self, stream: BinaryIO, *, comment: str = "", snaplen: int = 0) -> None:
        self._stream = stream
        self._snaplen = snaplen
        self._interfaces = 0
        options = _text(_COMMENT, comment) + _text(_APPLICATION, "econnlab")
        body = struct.pack("<IHHQ", _MAGIC, 1, 0, _LENGTH_UNKNOWN)
        self._block(_SECTION, body + _ended(options))

    def interface(self, name: str, link_type: int) -> int:
        """Announce an interface; the number by which packets name it."""
        options = _text(_NAME, name) + _option(_RESOLUTION, _NANOSECONDS)
        self._block(_INTERFACE, struct.pack("<HHI", link_type, 0, self._snaplen) + _ended(options))
        self._interfaces += 1
        return self._interfaces - 1

    def packet(self, interface: int, at_ns: int, data: bytes, length: int, comment: str = "") -> None:
        """Write one packet of ``length`` bytes on the wire, captured at ``at_ns`` since the epoch."""
        length = max(length, len(data))
        if self._snaplen:
            data = data[: self._snaplen]
        head = struct.pack("<IIIII", interface, at_ns >> 32, at_ns & 0xFFFFFFFF, len(data), length)
        self._block(_PACKET, head + _padded(data) + (_ended(_text(_COMMENT, comment)) if comment else b""))

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._stream.write(struct.pack("<I", kind) + length + body + length)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _text(code: int, text: str) -> bytes:
    encoded = text.encode(errors="replace")[
        :_LONGEST_TEXT
    ]  # half a surrogate pair comes of bytes from outside
    return _option(code, encoded.decode("utf-8", "ignore").encode()) if encoded else b""


def _ended(options: bytes) -> bytes:
    return options + struct.pack("<HH", _END, 0) if options else b""

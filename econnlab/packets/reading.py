"""Captures, read: pcap and pcapng, gzipped or not, from a stream that need not be seekable.

Nothing is held but the block at hand, so that memory does not grow with the file.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from econnlab.packets import pcap, pcapng
from econnlab.packets.frames import Frame, MalformedCapture, Raw
from econnlab.packets.source import Source

_GZIP = b"\x1f\x8b"
#: Formats that are not read, by how they begin, and what turns them into one that is.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": ("zstd compression", "zstd -dc FILE | econnlab diagnose -"),
    b"\xfd7zXZ": ("xz compression", "xz -dc FILE | econnlab diagnose -"),
    b"\x04\x22\x4d\x18": ("lz4 compression", "lz4 -dc FILE | econnlab diagnose -"),
    b"BZh": ("bzip2 compression", "bzip2 -dc FILE | econnlab diagnose -"),
    b"snoop\0": ("a snoop capture", "editcap -F pcapng FILE FILE.pcapng"),
    b"\xa1\xb2\xcd\x34": ("a modified pcap", "editcap -F pcapng FILE FILE.pcapng"),
    b"\x34\xcd\xb2\xa1": ("a modified pcap", "editcap -F pcapng FILE FILE.pcapng"),
    b"PK\x03\x04": ("a zip archive", "unzip -p FILE | econnlab diagnose -"),
}


class Reader(Protocol):
    """A capture being read."""

    #: Where the file breaks off in the middle of a packet, as a stopped tcpdump leaves it.
    cut_at: int | None

    def __iter__(self) -> Iterator[Frame]:
        """The packets in the order of the file. Raises MalformedCapture."""

    def blocks(self) -> Iterator[list[Raw]]:
        """The same, many at a time. Raises MalformedCapture."""


def read_capture(stream: BinaryIO) -> Reader:
    """The capture in ``stream``, which its owner closes. Raises MalformedCapture, here or in reading."""
    source = Source(stream)
    if source.peek(2) == _GZIP:
        source = Source(gzip.GzipFile(fileobj=_Rest(source)))
    magic = source.peek(6)
    if source.broken is not None and len(magic) < 4:
        raise MalformedCapture(f"The gzip stream is damaged at offset {source.offset}: {source.broken}.")
    if pcapng.begins(magic):
        return pcapng.PcapngReader(source)
    if pcap.begins(magic):
        return pcap.PcapReader(source)
    for begin, (what, remedy) in _OTHERS.items():
        if magic.startswith(begin):
            raise MalformedCapture(f"Offset 0 holds the mark of {what}, which is not read: {remedy}")
    if not magic:
        raise MalformedCapture("The file is empty: offset 0 holds no pcap or pcapng header.")
    raise MalformedCapture(f"No capture: offset 0 holds {magic[:4].hex(' ')}, neither pcap nor pcapng.")


class _Rest(io.RawIOBase):
    """What is left of a source, as a file for gzip."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._source.take(len(buffer))
        buffer[: len(data)] = data
        return len(data)

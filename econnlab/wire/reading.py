"""Captures, read: pcap and pcapng, gzipped or not, from a stream that need not be seekable.

Nothing is held but the block at hand, so that memory does not grow with the file.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from econnlab.wire import pcap, pcapng
from econnlab.wire.frames import Frame, MalformedCapture

_GZIP = b"\x1f\x8b"
#: Formats that are not read, by how they begin, and what turns them into one that is.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": ("is compressed with zstd", "zstd -dc FILE | econnlab diagnose -"),
    b"\xfd7zXZ": ("is compressed with xz", "xz -dc FILE | econnlab diagnose -"),
    b"BZh": ("is compressed with bzip2", "bzip2 -dc FILE | econnlab diagnose -"),
    b"snoop\0": ("is a snoop capture", "editcap -F pcapng FILE FILE.pcapng"),
    b"\xa1\xb2\xcd\x34": ("is a modified pcap", "editcap -F pcapng FILE FILE.pcapng"),
    b"\x34\xcd\xb2\xa1": ("is a modified pcap", "editcap -F pcapng FILE FILE.pcapng"),
    b"PK\x03\x04": ("is a zip archive", "unzip -p FILE | econnlab diagnose -"),
}
_CHUNK = 1 << 18


class Source:
    """A byte stream that knows how far it was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._dropped = 0
        #: The stream itself is damaged from here on (a cut or broken gzip).
        self.broken: str | None = None

    @property
    def offset(self) -> int:
        """Bytes taken so far; in a gzipped file, of what is inside."""
        return self._dropped + self._at

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end."""
        end = self._at + count
        if end > len(self._buffer):
            self._fill(count)
            end = self._at + count
        data = self._buffer[self._at : end]
        self._at += len(data)
        return data

    def peek(self, count: int) -> bytes:
        """What ``take`` would give."""
        data = self.take(count)
        self._at -= len(data)
        return data

    def skip(self, count: int) -> int:
        """Pass over ``count`` bytes; how many there were."""
        left = count
        while left and (passed := len(self.take(min(left, _CHUNK)))):
            left -= passed
        return count - left

    def _fill(self, count: int) -> None:
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        self._dropped += self._at
        self._at = 0
        while have < count and self.broken is None:
            try:
                chunk = self._stream.read(max(_CHUNK, count - have))
            except (zlib.error, EOFError, gzip.BadGzipFile) as error:
                self.broken = str(error) or type(error).__name__
                break
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        self._buffer = b"".join(parts)


class Reader(Protocol):
    """A capture being read."""

    #: Where the file breaks off in the middle of a packet, as a stopped tcpdump leaves it.
    cut_at: int | None

    def __iter__(self) -> Iterator[Frame]:
        """The packets in the order of the file. Raises MalformedCapture."""


def read_capture(stream: BinaryIO) -> Reader:
    """The capture in ``stream``, which its owner closes. Raises MalformedCapture, here or in reading."""
    source = Source(stream)
    if source.peek(2) == _GZIP:
        inside = gzip.GzipFile(fileobj=_Rest(source))
        source = Source(io.BufferedReader(inside, _CHUNK))
    magic = source.peek(6)
    if source.broken is not None:
        raise MalformedCapture(f"The gzip stream is damaged at offset {source.offset}: {source.broken}.")
    if pcapng.begins(magic):
        return pcapng.PcapngReader(source)
    if pcap.begins(magic):
        return pcap.PcapReader(source)
    for begin, (what, remedy) in _OTHERS.items():
        if magic.startswith(begin):
            raise MalformedCapture(f"This file {what}, which is not read: {remedy}")
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

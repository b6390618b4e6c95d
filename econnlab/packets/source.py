"""The bytes of a capture, as they come: from a file, a pipe, or out of a gzip."""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO

_CHUNK = 1 << 18


class Source:
    """A byte stream that knows how far it was read.

    Whoever reads small pieces by the million takes them from ``buffer`` and moves ``at`` on, and asks ``has``
    for more where the buffer ends.
    """

    def __init__(self, stream: BinaryIO | gzip.GzipFile) -> None:
        # One read of the stream beneath at a time: what a pipe has now, and of a gzip that breaks off in the
        # next read what came before.
        self._read = getattr(stream, "read1", stream.read)
        self._dropped = 0
        self.buffer = b""
        #: How much of the buffer was taken.
        self.at = 0
        #: The stream itself is damaged from here on (a cut or broken gzip).
        self.broken: str | None = None

    @property
    def offset(self) -> int:
        """Bytes taken so far; in a gzipped file, of what is inside."""
        return self._dropped + self.at

    @property
    def end(self) -> int:
        """The offset behind what was read of the stream."""
        return self._dropped + len(self.buffer)

    def has(self, count: int) -> bool:
        """Read until ``count`` bytes of the buffer are left to take; False where the stream ends before."""
        have = len(self.buffer) - self.at
        if have >= count:
            return True
        parts = [self.buffer[self.at :]]
        while have < count and self.broken is None:
            try:
                chunk = self._read(max(_CHUNK, count - have))
            except (zlib.error, EOFError, gzip.BadGzipFile) as error:
                self.broken = str(error) or type(error).__name__
                break
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        self._dropped += self.at
        self.at = 0
        self.buffer = b"".join(parts)
        return have >= count

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end, which are still to be taken."""
        self.has(count)
        return self.buffer[self.at : self.at + count]

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end."""
        data = self.peek(count)
        self.at += len(data)
        return data

    def skip(self, count: int) -> bool:
        """Pass over ``count`` bytes; False where the stream ends before."""
        while count and (passed := len(self.take(min(count, _CHUNK)))):
            count -= passed
        return not count

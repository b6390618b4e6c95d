"""How long an HTTP/1 message is, by its head (RFC 9112 section 6), and where a chunked body ends."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

_DIGITS = 15
_LONGEST_LINE = 8192


class Length(IntEnum):
    """How the length of a body is told."""

    KNOWN = 0
    CHUNKED = 1
    UNTIL_CLOSE = 2


class Body(NamedTuple):
    """The body that a head announces."""

    length: Length
    size: int


NONE, CHUNKED, UNTIL_CLOSE = Body(Length.KNOWN, 0), Body(Length.CHUNKED, 0), Body(Length.UNTIL_CLOSE, 0)


def head_end(head: bytes) -> int:
    """The offset behind the empty line that ends a head, with CRLF or bare LF; -1 while it has not come."""
    end = head.find(b"\r\n\r\n")
    bare = head.find(b"\n\n", 0, end if end >= 0 else len(head))
    if bare >= 0:
        return bare + 2
    return end + 4 if end >= 0 else -1


def body_of(head: bytes) -> Body | None:
    """The body that the head announces; None if it announces none."""
    low = head.lower()
    at = low.find(b"\ntransfer-encoding:")
    if at >= 0 and b"chunked" in low[at : low.find(b"\n", at + 1) + 1 or len(low)]:
        return CHUNKED
    at = low.find(b"\ncontent-length:")
    if at < 0:
        return None
    value = low[at + 16 : at + 18 + _DIGITS].split(b"\n", 1)[0].strip()
    return Body(Length.KNOWN, int(value)) if value.isdigit() else None


class Chunks:
    """Finds the end of a chunked body (RFC 9112 section 7.1)."""

    __slots__ = ("left", "line", "trailer")

    def __init__(self) -> None:
        #: Bytes of the chunk at hand, with the line end behind it.
        self.left = 0
        #: What came of a line that has not ended.
        self.line = b""
        #: The last chunk has come: what follows are fields, up to an empty line.
        self.trailer = False

    def take(self, size: int, payload: bytes) -> int:
        """Take in bytes; how many are left behind the body, -1 while it goes on, -2 if the trail is lost."""
        at, captured = 0, len(payload)
        while at < size:
            if self.left:
                step = min(self.left, size - at)
                self.left -= step
                at += step
                continue
            if at >= captured:
                return -2
            end = payload.find(b"\n", at)
            if end < 0:
                self.line += payload[at:]
                return -1 if captured == size and len(self.line) < _LONGEST_LINE else -2
            line, self.line, at = (self.line + payload[at:end]).strip(), b"", end + 1
            if self.trailer:
                if not line:
                    return size - at
                continue
            digits = line.split(b";", 1)[0].strip()
            try:
                count = int(digits, 16)
            except ValueError:
                return -2
            if count < 0 or len(digits) > _DIGITS:
                return -2
            # Behind its bytes comes a line end: of CRLF both, of a bare LF one byte of the next line is
            # taken.
            self.left = count + 2 if count else 0
            self.trailer = not count
        return -1

"""TLS records (RFC 8446 section 5) of one direction, counted off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
_HEAD = 5
#: RFC 5246 section 6.2.3: the longest ciphertext.
LONGEST = 16_384 + 2_048
#: Bytes of a handshake record that are looked at: a hello with its extensions.
_LOOKED_AT = 4096


class Record(NamedTuple):
    """A record whose header has come."""

    kind: int
    #: Bytes behind its header.
    size: int
    #: Of these, those that came with the header, and were captured.
    body: bytes
    #: Bytes of the packet from its first byte on.
    rest: int


class Records:
    """Counts off the records of one direction, and finds the next one after bytes that were missed."""

    __slots__ = ("head", "last", "left", "lost")

    def __init__(self) -> None:
        #: Bytes of the record at hand that are to come.
        self.left = 0
        self.head = b""
        self.lost = False
        #: Kind and size of the last record that began.
        self.last = (0, 0)

    @property
    def inside(self) -> bool:
        """The record at hand is not whole."""
        return not self.lost and bool(self.left or self.head)

    def take(self, size: int, payload: bytes) -> Iterator[Record]:
        """The records that begin in these bytes."""
        if self.left >= size and not self.lost:
            self.left -= size
            return
        if self.lost:
            if not looks_like_record(payload):
                return
            self.lost, self.left, self.head = False, 0, b""
        while size > 0:
            took = min(self.left, size)
            self.left -= took
            size, payload = size - took, payload[took:]
            if not size:
                return
            known = len(self.head)
            took = min(_HEAD - known, size)
            rest = size
            self.head += payload[:took]
            size -= took
            if len(payload) < took or not _plausible(self.head):
                self.lost, self.left, self.head = True, 0, b""
                return
            payload = payload[took:]
            if len(self.head) < _HEAD:
                return
            kind, self.left = self.head[0], self.head[3] << 8 | self.head[4]
            self.head, self.last = b"", (kind, self.left)
            yield Record(kind, self.left, payload[: min(self.left, _LOOKED_AT)], rest)


def looks_like_record(payload: bytes) -> bool:
    """It begins with a record's header."""
    return len(payload) >= _HEAD and _plausible(payload[:_HEAD])


def _plausible(head: bytes) -> bool:
    if head[:1] and not CHANGE_CIPHER <= head[0] <= APPLICATION:
        return False
    if head[1:2] not in (b"", b"\3") or head[2:3] > b"\4":
        return False
    return len(head) < _HEAD or 0 < (head[3] << 8 | head[4]) <= LONGEST

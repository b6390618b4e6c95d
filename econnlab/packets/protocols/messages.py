"""Messages that begin with their length: PostgreSQL's and MySQL's, counted off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_LOOKED_AT = 256
_LONGEST = 1 << 30


class Message(NamedTuple):
    """A message whose beginning has come."""

    #: Its type, or with MySQL its sequence number.
    kind: int
    size: int
    #: As much of it as came with its header.
    body: bytes
    #: Bytes of the packet from its first byte on.
    rest: int


class Messages:
    """Counts off the messages of one direction.

    The header has ``header`` bytes: PostgreSQL has the type and a length that counts itself, MySQL a length
    of three bytes and a sequence number.
    """

    __slots__ = ("counts_itself", "head", "header", "kind", "left", "lost")

    def __init__(self, *, kind: bool, header: int, counts_itself: int) -> None:
        self.kind, self.header, self.counts_itself = kind, header, counts_itself
        self.left = 0
        self.head = b""
        self.lost = False

    @property
    def inside(self) -> bool:
        """The message at hand is not whole."""
        return not self.lost and bool(self.left or self.head)

    def take(self, size: int, payload: bytes) -> Iterator[Message]:
        """The messages that begin in these bytes."""
        while size > 0 and not self.lost:
            took = min(self.left, size)
            self.left -= took
            size, payload = size - took, payload[took:]
            if not size:
                return
            took = min(self.header - len(self.head), size)
            rest, captured = size, payload[:took]
            self.head += captured
            size, payload = size - took, payload[took:]
            if len(captured) < took:
                self.lost = True
                return
            if len(self.head) < self.header:
                return
            kind, self.left = self._read(self.head)
            self.head = b""
            if not 0 <= self.left <= _LONGEST:
                self.lost, self.left = True, 0
                return
            yield Message(kind, self.left, payload[: min(self.left, _LOOKED_AT)], rest)

    def _read(self, head: bytes) -> tuple[int, int]:
        if self.kind:
            return head[0], int.from_bytes(head[1:5], "big") - self.counts_itself
        return head[3], int.from_bytes(head[:3], "little")

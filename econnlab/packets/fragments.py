"""IP fragments, joined (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory."""

from __future__ import annotations

from typing import NamedTuple

#: Datagrams that wait for their other fragments; the oldest are dropped.
_MOST_WAITING = 1024
_LONGEST = 65_535


class Fragment(NamedTuple):
    """One piece of a datagram."""

    #: Addresses, identification and protocol: what its pieces have in common.
    datagram: tuple[bytes, int, int]
    offset: int
    last: bool
    data: bytes
    #: Hop limit of this piece.
    ttl: int


class Joined(NamedTuple):
    """The payload of a datagram whose pieces have all come."""

    payload: bytes
    ttl: int


class Fragments:
    """Keeps pieces until a datagram is whole."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[bytes, int, int], list[Fragment]] = {}
        #: Pieces that never became a whole datagram.
        self.dropped = 0

    @property
    def left(self) -> int:
        """Pieces that are dropped or still wait."""
        return self.dropped + sum(len(parts) for parts in self._waiting.values())

    def add(self, fragment: Fragment) -> Joined | None:
        """Keep ``fragment``; the whole payload once it was the last that had been missing."""
        parts = self._waiting.setdefault(fragment.datagram, [])
        parts.append(fragment)
        payload = _join(parts)
        if payload is not None:
            del self._waiting[fragment.datagram]
            return Joined(payload, min(part.ttl for part in parts))
        if len(self._waiting) > _MOST_WAITING or len(parts) > _LONGEST // 8:
            oldest = next(iter(self._waiting))
            self.dropped += len(self._waiting.pop(oldest))
        return None


def _join(parts: list[Fragment]) -> bytes | None:
    if not any(part.last for part in parts) or not any(part.offset == 0 for part in parts):
        return None
    payload = bytearray()
    for part in sorted(parts, key=lambda each: each.offset):
        if part.offset > len(payload):
            return None
        if part.offset + len(part.data) > len(payload):
            payload[part.offset :] = part.data
        if part.last:
            break
    return bytes(payload) if len(payload) <= _LONGEST else None

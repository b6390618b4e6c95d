"""The packets of a few connections out of a capture, as they are drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from econnlab.packets.frames import Frame
from econnlab.packets.layers import ends_of, segment

#: Of a longer connection, so many packets are kept from its beginning and from its end.
_FIRST, _LAST = 8, 64
_LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Connection:
    """Both ends of a connection, as bytes: address and port."""

    client: bytes
    server: bytes


class Row(NamedTuple):
    """One packet of a connection."""

    #: Its place in the capture.
    number: int
    at_ns: int
    connection: Connection
    by_client: bool
    flags: int
    seq: int
    ack: int
    #: Bytes of payload.
    size: int
    #: Repeats bytes that had been seen.
    again: bool
    #: The first line of what it carries, where that is text.
    line: str
    #: Packets of data that are drawn as one.
    packets: int = 1


class _Kept:
    """The packets of one connection: its beginning and its end."""

    def __init__(self) -> None:
        self.first: list[Row] = []
        self.last: deque[Row] = deque(maxlen=_LAST)
        self.next: dict[bool, int] = {}


def rows(
    frames: Iterable[Frame], connections: Collection[Connection], since_ns: int, until_ns: int
) -> list[Row]:
    """The packets of ``connections`` between two times, in order; of long ones the beginning and the end."""
    wanted = {}
    kept = {connection: _Kept() for connection in connections}
    for connection in connections:
        wanted[ends_of(connection.client, connection.server)] = connection, True
        wanted[ends_of(connection.server, connection.client)] = connection, False
    for number, (at_ns, link_type, data, length, _) in enumerate(frames):
        if not since_ns <= at_ns <= until_ns:
            continue
        found = segment(link_type, data, length)
        if found is None or (known := wanted.get(found.ends)) is None:
            continue
        connection, by_client = known
        into = kept[connection]
        end = (found.seq + found.size) & 0xFFFFFFFF
        again = found.size > 0 and 0 <= ((into.next.get(by_client, end - 1) - end) & 0xFFFFFFFF) < 0x80000000
        if found.size and not again:
            into.next[by_client] = end
        line = _line(data[found.start : found.end])
        row = Row(
            number, at_ns, connection, by_client, found.flags, found.seq, found.ack, found.size, again, line
        )
        if len(into.first) < _FIRST:
            into.first.append(row)
        else:
            into.last.append(row)
    return sorted(
        (row for each in kept.values() for row in (*each.first, *each.last)), key=lambda row: row.number
    )


def _line(payload: bytes) -> str:
    """Untrusted text; empty where it is none."""
    line = payload[: _LONGEST_LINE * 2].partition(b"\r\n")[0].partition(b"\n")[0]
    if len(line) > _LONGEST_LINE or not line.isascii() or not line.decode("latin-1").isprintable():
        return ""
    return line.decode("ascii")

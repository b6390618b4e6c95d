"""Live packets for a command: the ring, opened, the history of what passed, and files of it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType

from econnlab.attribution.packets.diagnosis import Diagnosis
from econnlab.attribution.packets.findings import Finding, ServerReport
from econnlab.attribution.packets.running import GRACE_NS, OUTLOOK_NS, Limits, Running
from econnlab.cli.diagnosis import failure
from econnlab.cli.ladders import Drawn, connections_of, ladders
from econnlab.errors import UsageProblem
from econnlab.packets.frames import Frame
from econnlab.packets.live.block_ring import BlockRing
from econnlab.packets.live.blocks import frames_in
from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.packets.live.filter import watching
from econnlab.packets.live.history import History
from econnlab.packets.live.ring import loopback_index
from econnlab.packets.writing import PcapngWriter

#: With the judge of these packets and what it finds: a command that watches needs no other room.
__all__ = ["GRACE_NS", "OUTLOOK_NS", "Diagnosis", "Finding", "Limits", "Live", "Running", "ServerReport"]

_NS = 1_000_000_000


class Live:
    """Packets of ``interface`` (all by default), or only those of ``port`` and ``host``.

    Of the last of them up to ``history_bytes`` are kept. Raises UsageProblem for an interface that does not
    exist or text that is not an address, CannotCapture without the right.
    """

    def __init__(self, interface: str | None, port: int | None, host: str | None, history_bytes: int) -> None:
        address = None if host is None else _address(host)
        index = 0 if interface is None else _index(interface)
        self._history = History(history_bytes)
        self._ring = _open(port, address, index)

    def fileno(self) -> int:
        """Readable when packets wait."""
        return self._ring.fileno()

    def batches(self) -> Iterator[list[Frame]]:
        """The packets that wait, each batch in order of time."""
        for block in self._ring.blocks():
            self._history.add(block)
            yield frames_in(block)

    def dropped(self) -> int:
        """Packets that the kernel dropped because the ring was full."""
        return self._ring.dropped()

    def unread(self) -> int:
        """Packets that wait in the ring."""
        return self._ring.unread()

    def ladder(self, finding: Finding, number: int) -> Iterator[RenderableType]:
        """The packets of a failure, as far as they are still kept, and what is said of it."""
        drawn = Drawn(finding.at, connections_of(finding), failure(finding, number))
        return ladders(lambda: self._history.frames(finding.hops), [drawn])

    def save(self, finding: Finding, path: Path, comment: str) -> None:
        """Write the packets of a failure as pcapng, with a comment on the file and on the deciding packet."""
        frames = self._history.frames(finding.hops)
        deciding = _deciding(finding, frames)
        interfaces: dict[int, int] = {}
        with path.open("wb") as stream:
            writer = PcapngWriter(stream, comment=comment)
            for number, frame in enumerate(frames):
                kind = frame.link_type
                if kind not in interfaces:
                    interfaces[kind] = writer.interface("watch", kind)
                said = comment if number == deciding else ""
                writer.packet(interfaces[kind], frame.at_ns, frame.data, frame.length, said)

    def close(self) -> None:
        """Hear nothing more."""
        self._ring.close()


def _open(port: int | None, address: bytes | None, index: int) -> BlockRing:
    try:
        door = open_door()
    except CannotCapture as problem:
        if not hasattr(socket, "AF_PACKET"):
            raise
        raise CannotCapture(
            problem.message,
            "Run it as root (sudo econnlab watch), or give this Python the right: sudo setcap "
            f"cap_net_raw+ep {os.path.realpath(sys.executable)}",
        ) from problem
    try:
        return BlockRing(door, watching(port, address, loopback_index()), index)
    except BaseException:
        door.close()
        raise


def _deciding(finding: Finding, frames: Sequence[Frame]) -> int:
    """Which packet the verdict is about: the one that ended the connection, or the request."""
    at = finding.ended.at if finding.ended is not None else finding.at
    near = [(abs(frame.at_ns / _NS - at), number) for number, frame in enumerate(frames)]
    return min(near)[1] if near else 0


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise UsageProblem(f"There is no interface {interface!r}.", f"There are {names}.") from error


def _address(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text.strip("[]")).packed
    except ValueError as error:
        raise UsageProblem(
            f"{text!r} is not an IP address.", "Packets hold addresses, not names: give one as 10.0.0.7."
        ) from error

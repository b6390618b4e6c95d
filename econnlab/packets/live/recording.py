"""Captured packets on their way into a file."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import BinaryIO

from econnlab.packets.frames import ETHERNET, RAW
from econnlab.packets.live.ring import SNAPLEN, Packet
from econnlab.packets.writing import PcapngWriter

#: Interfaces whose packets begin with an Ethernet header: ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h).
_ETHERNET_HEADERS = frozenset({1, 772})


class Recording:
    """Writes packets to ``stream`` as pcapng; ``name_of`` tells an interface's name by its index.

    A full disk ends the recording, not the run: ``failed`` is then the errno's name.
    """

    def __init__(self, stream: BinaryIO, name_of: Callable[[int], str]) -> None:
        self.packets = 0
        self.failed: str | None = None
        self._stream = stream
        self._name_of = name_of
        self._writer = PcapngWriter(stream, snaplen=SNAPLEN)
        #: By index: the number in the file, and whether packets keep their link header.
        self._interfaces: dict[int, tuple[int, bool]] = {}

    def add(self, packets: Iterable[Packet]) -> None:
        """Write ``packets``, all of which are taken in any case."""
        for packet in packets:
            if self.failed is None:
                try:
                    self._write(packet)
                except OSError as error:
                    self._give_up(error)

    def finish(self) -> None:
        """Hand on what waits in the stream."""
        if self.failed is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.failed = errno.errorcode.get(error.errno or 0, str(error))

    def _write(self, packet: Packet) -> None:
        known = self._interfaces.get(packet.interface)
        if known is None:
            whole = packet.hardware in _ETHERNET_HEADERS
            number = self._writer.interface(self._name_of(packet.interface), ETHERNET if whole else RAW)
            known = self._interfaces[packet.interface] = number, whole
        number, whole = known
        # Without a link header that is known, a packet begins with IP: so it always does on a TUN device.
        cut = 0 if whole else packet.network
        self._writer.packet(number, packet.at_ns, packet.data[cut:], packet.length - cut)
        self.packets += 1

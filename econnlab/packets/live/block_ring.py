"""A ring of blocks that kernel and reader share (TPACKET_V3): many packets at a time, no system call."""

from __future__ import annotations

import contextlib
import mmap
import socket
import struct
from collections.abc import Iterator, Sequence

from econnlab.packets.live.blocks import BLOCK, STATUS_AT
from econnlab.packets.live.filter import Instruction
from econnlab.packets.live.ring import SOL_PACKET, attach, listen

# linux/if_packet.h
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V3 = 2
_KERNEL, _USER = 0, 1  # TP_STATUS_KERNEL, and the bit TP_STATUS_USER
_STATUS = struct.Struct("=I")
#: The longest packet and its headers fit into a block.
_BLOCK = 1 << 18
#: A frame's size only sets how many the kernel believes there are: packets of a block have any length.
_FRAME = 2048
#: A block with fewer packets than fit is handed over after so many ms.
_HANDED_OVER_MS = 50
#: Sizes of the ring to ask for, until the system has that much memory for it.
_SIZES = tuple(mib << 20 for mib in (64, 32, 16, 8, 4, 2))


class BlockRing:
    """Takes over ``sock``, a packet socket that is not bound yet, and hears what ``program`` accepts.

    ``interface`` is the index of the only one to hear, 0 for all.
    """

    def __init__(self, sock: socket.socket, program: Sequence[Instruction], interface: int = 0) -> None:
        self._sock = sock
        attach(sock, program)  # before bind, so that nothing else gets in
        sock.setsockopt(SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
        self.size = _allocate(sock)
        self._memory = mmap.mmap(sock.fileno(), self.size)
        self._next = 0
        self._dropped = 0
        listen(sock, interface)

    def fileno(self) -> int:
        """The socket's descriptor: readable when a block waits."""
        return self._sock.fileno()

    def blocks(self) -> Iterator[bytes]:
        """The blocks that wait, copied out; each is given back to the kernel at once."""
        memory = self._memory
        for _ in range(self.size // _BLOCK):
            at = self._next * _BLOCK
            status, packets, _, used = BLOCK.unpack_from(memory, at)
            if not status & _USER:
                return
            block = memory[at : at + used]
            _STATUS.pack_into(memory, at + STATUS_AT, _KERNEL)
            self._next = (self._next + 1) % (self.size // _BLOCK)
            if packets:
                yield block

    def unread(self) -> int:
        """Packets in the blocks that wait."""
        waiting = 0
        for number in range(self.size // _BLOCK):
            status, packets, _, _ = BLOCK.unpack_from(self._memory, number * _BLOCK)
            waiting += packets if status & _USER else 0
        return waiting

    def dropped(self) -> int:
        """Packets that found the ring full, since the ring was made."""
        counted = self._sock.getsockopt(SOL_PACKET, _PACKET_STATISTICS, 12)  # which sets it to 0
        self._dropped += struct.unpack("=III", counted)[1]
        return self._dropped

    def close(self) -> None:
        """Hear nothing more."""
        self._memory.close()
        self._sock.close()


def _allocate(sock: socket.socket) -> int:
    for size in _SIZES[:-1]:
        with contextlib.suppress(OSError):  # ENOMEM
            _ask_for(sock, size)
            return size
    _ask_for(sock, _SIZES[-1])
    return _SIZES[-1]


def _ask_for(sock: socket.socket, size: int) -> None:
    # struct tpacket_req3: block size and count, frame size and count, timeout, private bytes, features.
    asked = struct.pack("=7I", _BLOCK, size // _BLOCK, _FRAME, size // _FRAME, _HANDED_OVER_MS, 0, 0)
    sock.setsockopt(SOL_PACKET, _PACKET_RX_RING, asked)

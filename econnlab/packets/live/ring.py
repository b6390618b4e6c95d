"""The ring that kernel and capture share (packet_mmap.rst): a packet costs no system call and no copy more.

A socket's own queue holds net.core.rmem_max bytes, some 200 KB for whoever may not raise it, and drops what
comes beyond; a ring is as large as one asks.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from econnlab.packets.live.filter import Instruction

# linux/if_packet.h, asm-generic/socket.h, linux/if_ether.h
SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V2 = 1
_SO_ATTACH_FILTER = 26
_ETH_P_ALL = 3
_KERNEL, _USER = 0, 1  # TP_STATUS_KERNEL, and the bit TP_STATUS_USER
_FRAME = 2048
#: The most bytes of a packet that a frame holds, less what stands before it (tpacket_rcv()).
SNAPLEN = _FRAME
_BLOCK = 1 << 17
#: Sizes of the ring to ask for, until the system has that much memory for it.
_SIZES = tuple(mib << 20 for mib in (32, 16, 8, 4, 2))
_STATUS = struct.Struct("=I")
#: struct tpacket2_hdr: status, length, captured, where the packet and its network header begin, s, ns.
_HEADER = struct.Struct("=IIIHHII")
#: struct sockaddr_ll behind it (TPACKET_ALIGN(sizeof(struct tpacket2_hdr))): the interface and its ARPHRD.
_FROM = struct.Struct("=HHiH")
_FROM_AT = 32


class Packet(NamedTuple):
    """A packet in the ring, copied out."""

    at_ns: int
    interface: int
    #: ARPHRD_*: which kind of interface it is.
    hardware: int
    data: bytes
    #: Where in ``data`` the network header begins.
    network: int
    length: int


class Ring:
    """Takes over ``sock``, a packet socket that is not bound yet, and hears what ``program`` accepts."""

    def __init__(self, sock: socket.socket, program: Sequence[Instruction]) -> None:
        self._sock = sock
        attach(sock, program)  # before bind, so that nothing else gets in
        sock.setsockopt(SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        size = _allocate(sock)
        self._frames = size // _FRAME
        self._memory = mmap.mmap(sock.fileno(), size)
        self._next = 0
        listen(sock)

    def fileno(self) -> int:
        """The socket's descriptor: readable when a packet waits."""
        return self._sock.fileno()

    def packets(self) -> Iterator[Packet]:
        """What waits, each frame given back when the next one is asked for."""
        memory = self._memory
        for _ in range(self._frames):
            at = self._next * _FRAME
            status, length, captured, begins, network, seconds, ns = _HEADER.unpack_from(memory, at)
            if not status & _USER:
                return
            _, _, interface, hardware = _FROM.unpack_from(memory, at + _FROM_AT)
            data = memory[at + begins : at + begins + captured]
            at_ns = seconds * 1_000_000_000 + ns
            yield Packet(at_ns, interface, hardware, data, network - begins, length)
            _STATUS.pack_into(memory, at, _KERNEL)
            self._next = (self._next + 1) % self._frames

    def dropped(self) -> int:
        """Packets that found the ring full, since the last call."""
        counted = self._sock.getsockopt(SOL_PACKET, _PACKET_STATISTICS, 8)
        return int(struct.unpack("=II", counted)[1])

    def close(self) -> None:
        """Hear nothing more."""
        self._memory.close()
        self._sock.close()


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Give ``sock`` its filter."""
    code = ctypes.create_string_buffer(b"".join(each.packed() for each in program))
    # struct sock_fprog: how many instructions, and where they are.
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code))
    )


def listen(sock: socket.socket, interface: int = 0) -> None:
    """bind(2) to one interface, or with 0 to all, those to come as well: Python's own bind wants a name."""
    where = struct.pack("@HHiHBB8s", socket.AF_PACKET, socket.htons(_ETH_P_ALL), interface, 0, 0, 0, b"")
    if ctypes.CDLL(None, use_errno=True).bind(sock.fileno(), where, len(where)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _allocate(sock: socket.socket) -> int:
    """The ring's size in bytes. Raises OSError where not even the smallest is to be had."""
    for size in _SIZES[:-1]:
        with contextlib.suppress(OSError):
            return _ask(sock, size)
    return _ask(sock, _SIZES[-1])


def _ask(sock: socket.socket, size: int) -> int:
    # struct tpacket_req
    request = struct.pack("=IIII", _BLOCK, size // _BLOCK, _FRAME, size // _FRAME)
    sock.setsockopt(SOL_PACKET, _PACKET_RX_RING, request)
    return size


def interface_name(index: int) -> str:
    """``lo``; a name made of the index where the interface has gone already."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"interface {index}"


def loopback_index() -> int:
    """The index of ``lo`` in this network; 0, which none has, where there is none."""
    with contextlib.suppress(OSError):
        return socket.if_nametoindex("lo")
    return 0

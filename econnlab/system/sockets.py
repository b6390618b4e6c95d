"""What server and link ask the kernel about a connection, and tell it."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import sys
import termios
from typing import Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ON, _OFF = struct.pack("i", 1), struct.pack("i", 0)


class Descriptor(Protocol):
    """Anything with a file descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


class Closable(Descriptor, Protocol):
    """A socket, plain or with TLS."""

    def setsockopt(self, level: int, option: int, value: bytes, /) -> None:
        """setsockopt(2)."""

    def close(self) -> None:
        """close(2)."""


def unread_bytes(sock: Descriptor) -> int:
    """Bytes in the kernel's receive queue (FIONREAD, tcp(7) SIOCINQ); a FIN does not count."""
    buffer = fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0\0\0\0")
    return int(struct.unpack("i", buffer)[0])


def unsent_bytes(sock: socket.socket) -> int:
    """Bytes in the kernel's send queue: not sent, or not acknowledged (tcp(7), SIOCOUTQ)."""
    if sys.platform == "darwin":
        return sock.getsockopt(socket.SOL_SOCKET, 0x1024)  # SO_NWRITE
    buffer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int(struct.unpack("i", buffer)[0])


def reset_on_close(sock: Closable) -> None:
    """Make the next close(2) send an RST: SO_LINGER with a time of 0 (socket(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def hold_back(sock: Closable) -> None:
    """Keep what is sent until close(2), whose FIN then is in the same packet (tcp(7), TCP_CORK)."""
    option = getattr(socket, "TCP_CORK", None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, _ON)


def send_held_back(sock: Closable) -> None:
    """Send what ``hold_back`` holds. close(2) does so before a FIN, but an RST would discard it."""
    option = getattr(socket, "TCP_CORK", None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, _OFF)


def address(sock_address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """``127.0.0.1:8080`` or ``[::1]:8080``, as ledgers have it."""
    host, port = sock_address[0], sock_address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def errno_name(number: int) -> str:
    """``ECONNRESET`` for 104; the number itself if it has no name."""
    return errno.errorcode.get(number, str(number))


def probe_idle(sock: socket.socket, seconds: int) -> None:
    """Make the kernel probe a connection after each ``seconds`` of silence (tcp(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the first one TCP_KEEPALIVE.
    for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL"):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, seconds)

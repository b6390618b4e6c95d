"""What one attempt saw on its socket. Times are seconds on the monotonic clock."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from econnlab.system.clock import now


class Witness:
    """What one attempt has seen on its socket so far."""

    __slots__ = ("bytes_read", "deadline", "first_byte", "handed_over", "last_byte", "saw_eof", "sent")

    def __init__(self, deadline: float) -> None:
        #: When the client gives up; without it, a server that sends a byte now and then would hold it for
        #: ever.
        self.deadline = deadline
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.bytes_read = 0
        #: Bytes of the request that the kernel has taken.
        self.handed_over = 0
        self.saw_eof = False

    def on_send(self) -> None:
        """The client is about to hand bytes to the kernel."""
        if self.sent is None:
            self.sent = now()

    def on_read(self, size: int) -> None:
        """The kernel has given ``size`` bytes; 0 means that the peer sends nothing more."""
        if not size:
            self.saw_eof = True
            return
        self.last_byte = now()
        if self.first_byte is None:
            self.first_byte = self.last_byte
        self.bytes_read += size


class _Witnessed:
    """Socket calls that report to a witness, for plain and TLS sockets alike."""

    witness: Witness | None = None

    def sendall(self, data: Any, flags: int = 0) -> None:
        if self.witness is not None:
            self.witness.on_send()
        super().sendall(data, flags)  # type: ignore[misc]
        if self.witness is not None:
            self.witness.handed_over += len(data)

    def _wait_no_longer_than(self, deadline: float) -> None:
        here: Any = self
        left = deadline - now()
        if left <= 0:
            raise TimeoutError("the whole response took longer than the client waits")
        timeout = here.gettimeout()
        if timeout is None or timeout > left:
            here.settimeout(left)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.witness is not None:
            self._wait_no_longer_than(self.witness.deadline)
        size: int = super().recv_into(buffer, nbytes or 0, flags)  # type: ignore[misc]
        if self.witness is not None:
            self.witness.on_read(size)
        return size

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        buffer = bytearray(buflen)
        return bytes(buffer[: self.recv_into(buffer, buflen, flags)])


class ObservedSocket(_Witnessed, socket.socket):
    """A plain socket with a witness. It tells of ``sendall``, ``recv`` and ``recv_into``."""


class ObservedTlsSocket(_Witnessed, ssl.SSLSocket):
    """A TLS socket with a witness of the bytes inside TLS."""


def report_to(witness: Witness | None, sock: socket.socket) -> None:
    """Let ``sock`` report to ``witness`` from now on, if it can."""
    if isinstance(sock, _Witnessed):
        sock.witness = witness

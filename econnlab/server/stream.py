"""The socket of a connection in the event loop, with back-pressure: read when wanted, written as it takes."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from econnlab.server.tls import TlsSocket

READ_SIZE = 65536


class Receiver(Protocol):
    """Whoever the bytes are for."""

    def may_read(self) -> bool:
        """Called before reading; False if nothing is to be read now."""

    def on_data(self, data: bytes) -> None:
        """Bytes that came, never empty."""

    def on_end_of_input(self) -> None:
        """The other side has ended its direction."""

    def on_error(self, error: OSError) -> None:
        """The connection is gone."""


class Stream:
    """Hands what comes to ``receiver``, unless paused, and keeps what the kernel does not take yet."""

    __slots__ = ("_loop", "_out", "_paused", "_receiver", "_then", "ended", "sock")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket | TlsSocket, receiver: Receiver
    ) -> None:
        self._loop = loop
        self.sock = sock
        self._receiver = receiver
        self._out = memoryview(b"")
        self._then: Callable[[], None] | None = None
        self._paused = False
        #: The other side has ended its direction.
        self.ended = False
        loop.add_reader(sock, self._on_readable)

    @property
    def closed(self) -> bool:
        """close(2) has been called."""
        return self.sock.fileno() < 0

    # -- reading --------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        if not self._receiver.may_read():
            return
        while not self.closed and not self._paused:
            try:
                data = self.sock.recv(READ_SIZE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._receiver.on_error(error)
                return
            if not data:
                self.ended = True
                self._loop.remove_reader(self.sock)
                self._receiver.on_end_of_input()
                return
            self._receiver.on_data(data)
            if not self._more_in_tls():
                return

    def _more_in_tls(self) -> bool:
        """OpenSSL holds bytes that the poller does not know of."""
        return not self.closed and isinstance(self.sock, TlsSocket) and self.sock.pending()

    def pause(self) -> None:
        """Read no more for now: the kernel's buffer fills, and the other side has to wait."""
        if not self.closed and not self._paused:
            self._paused = True
            self._loop.remove_reader(self.sock)

    def resume(self) -> None:
        """Read again."""
        if self._paused and not self.ended:
            self._loop.add_reader(self.sock, self._on_readable)
            if self._more_in_tls():
                self._loop.call_soon(self._on_readable)
        self._paused = False

    # -- writing --------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return len(self._out)

    def send(self, data: bytes) -> None:
        """Hand over what the kernel takes now; the rest waits for ``then``."""
        self._out = memoryview(bytes(self._out) + data) if self._out else memoryview(data)
        self._hand_over()

    def then(self, call: Callable[[], None]) -> None:
        """Hand over the rest as the kernel takes it, and ``call`` after that."""
        self._then = call
        self._loop.add_writer(self.sock, self._on_writable)

    def _on_writable(self) -> None:
        self._hand_over()
        if not self.closed and not self._out and self._then is not None:
            self._loop.remove_writer(self.sock)
            call, self._then = self._then, None
            call()

    def _hand_over(self) -> None:
        if not self._out or self.closed:
            return
        try:
            sent = self.sock.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._receiver.on_error(error)
            return
        self._out = self._out[sent:]

    # -- ending ---------------------------------------------------------------------------------

    def still(self) -> None:
        """Neither read nor write any more."""
        self._paused = True
        self._loop.remove_reader(self.sock)
        self._loop.remove_writer(self.sock)

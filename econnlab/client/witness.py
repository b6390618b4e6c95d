"""What one attempt saw on its socket."""

from __future__ import annotations

from typing import Any

from econnlab.system.clock import now


class Witness:
    """What one attempt saw on its socket. Times are seconds on the monotonic clock."""

    __slots__ = ("bytes_read", "deadline", "first_byte", "handed_over", "last_byte", "saw_eof", "sent")

    def __init__(self, deadline: float) -> None:
        #: When the client's patience ends: without it a server that sends a byte now and then never ends.
        self.deadline = deadline
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.bytes_read = 0
        #: Bytes of the request that the kernel has taken.
        self.handed_over = 0
        self.saw_eof = False

    def on_send(self) -> None:
        """The first byte is about to be handed to the kernel."""
        if self.sent is None:
            self.sent = now()

    def on_read(self, size: int) -> None:
        """The kernel has given ``size`` bytes; 0 is the end of what the peer sends."""
        at = now()
        if size:
            if self.first_byte is None:
                self.first_byte = at
            self.last_byte = at
            self.bytes_read += size
        else:
            self.saw_eof = True


class Witnessed:
    """Socket calls with a witness, for plain and TLS sockets alike."""

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

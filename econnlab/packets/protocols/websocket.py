"""WebSocket (RFC 6455): only its frames are counted off, to find the close frames."""

from __future__ import annotations

from econnlab.packets.conversation import Conversation, Protocol

_CLOSE = 8
_EXTENDED_16, _EXTENDED_64 = 126, 127


class Frames:
    """One direction."""

    __slots__ = ("closed", "code", "head", "left", "lost")

    def __init__(self) -> None:
        #: Bytes of the frame at hand that are to come.
        self.left = 0
        #: A header of which not all has come.
        self.head = b""
        self.closed = False
        #: The status of its close frame (section 7.4); 0 if it has none or is masked.
        self.code = 0
        #: Bytes were missed.
        self.lost = False

    def take(self, size: int, payload: bytes) -> None:
        """Count off ``size`` bytes."""
        while size > 0 and not self.lost:
            took = min(self.left, size)
            self.left -= took
            size, payload = size - took, payload[took:]
            if not size:
                return
            known = len(self.head)
            self.head += payload[: 14 - known]
            if len(payload) < size and len(payload) < 14 - known:
                self.lost = True
                return
            begin = self._header()
            if begin < 0:
                return
            size, payload = size - (begin - known), payload[begin - known :]

    def _header(self) -> int:
        """Bytes of the header at hand, which is then read; -1 while it is not whole."""
        head = self.head
        if len(head) < 2:
            return -1
        size, masked = head[1] & 0x7F, bool(head[1] & 0x80)
        begin = 2 + (2 if size == _EXTENDED_16 else 8 if size == _EXTENDED_64 else 0)
        if len(head) < begin + 4 * masked:
            return -1
        if begin > 2:
            size = int.from_bytes(head[2:begin], "big")
        if head[0] & 15 == _CLOSE:
            self.closed = True
            if not masked and size >= 2 and len(head) >= 4:
                self.code = head[2] << 8 | head[3]
        begin += 4 * masked
        self.left, self.head = size, b""
        return begin


class WebSocket:
    """Both directions."""

    __slots__ = ("client", "server")

    def __init__(self) -> None:
        self.client, self.server = Frames(), Frames()


def begin(conversation: Conversation) -> None:
    """What follows in ``conversation`` are frames."""
    conversation.protocol = Protocol.WEBSOCKET
    conversation.state = WebSocket()
    conversation.client.parse, conversation.server.parse = asked, answered


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    conversation.state.client.take(size, payload)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    conversation.state.server.take(size, payload)

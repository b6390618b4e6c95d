"""HTTP/2 in the clear (RFC 9113): its streams are the exchanges; RST_STREAM and GOAWAY are read."""

from __future__ import annotations

from econnlab.packets.conversation import Answer, Conversation, Exchange, Protocol, Unjudged
from econnlab.packets.protocols.hpack import status_of

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD = 9
_DATA, _HEADERS, _RST_STREAM, _GOAWAY = 0, 1, 3, 7
_END_STREAM, _PADDED, _PRIORITY = 0x01, 0x08, 0x20
#: Bytes of a frame that are looked at: the status, error codes, and last stream stand at its beginning.
_LOOKED_AT = 64
#: RFC 9113 section 7.
ERRORS = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip


class Frames:
    """Counts off the frames of one direction."""

    __slots__ = ("head", "left", "lost")

    def __init__(self, left: int = 0) -> None:
        #: Bytes of the frame at hand that are to come, and its beginning as far as it has.
        self.left = left
        self.head = b""
        self.lost = False


class Http2:
    """Both directions, and what the server said of its end."""

    __slots__ = ("client", "goaway", "last", "server", "streams")

    def __init__(self) -> None:
        self.client, self.server = Frames(len(PREFACE)), Frames()
        #: Open exchanges by stream.
        self.streams: dict[int, Exchange] = {}
        #: The last frame of the client that belongs to a request.
        self.last = 0
        #: The server's GOAWAY: error code and last stream that it may have acted on.
        self.goaway: tuple[int, int] | None = None


def begin(conversation: Conversation, upgraded: Exchange | None = None) -> None:
    """Read ``conversation`` as HTTP/2; ``upgraded`` is the request that asked for it, stream 1."""
    conversation.protocol = Protocol.HTTP2
    state = conversation.state = Http2()
    conversation.client.parse, conversation.server.parse = asked, answered
    if upgraded is not None:
        upgraded.answer, upgraded.response_at = Answer.NONE, 0
        conversation.open.append(upgraded)
        state.streams[1] = upgraded
    elif conversation.unasked:  # the server's settings may come before the client's preface
        answered(conversation, conversation.last, conversation.unasked_bytes, conversation.unasked)


def error_name(code: int) -> str:
    """``CANCEL (8)``"""
    return f"{ERRORS[code]} ({code})" if code < len(ERRORS) else str(code)


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    _frames(conversation, conversation.state.client, True, at, size, payload)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    _frames(conversation, conversation.state.server, False, at, size, payload)


def _frames(
    conversation: Conversation, frames: Frames, by_client: bool, at: int, size: int, payload: bytes
) -> None:
    """Cut bytes into frames. A frame is handled when its beginning has come, and again with its last byte."""
    while size > 0:
        if frames.lost:
            return
        if frames.left:
            took = min(frames.left, size)
            known = len(frames.head)
            if frames.head and known < _HEAD + _LOOKED_AT:
                frames.head += payload[: min(took, _HEAD + _LOOKED_AT - known)]
            frames.left -= took
            if frames.head:
                _counted(conversation, frames.head, by_client, at, took)
                if not frames.left:
                    _frame(conversation, frames.head, by_client, at, size - took)
                    frames.head = b""
        else:
            took = min(_HEAD - len(frames.head), size)
            frames.head += payload[:took]
            if len(payload) < took:
                frames.lost = True
                conversation.unsure = Unjudged.MISSING if conversation.missing else Unjudged.SHORTENED
                return
            if len(frames.head) == _HEAD:
                frames.left = int.from_bytes(frames.head[:3], "big")
                _begins(conversation, frames.head, by_client, at, size)
                if not frames.left:
                    _frame(conversation, frames.head, by_client, at, size - took)
                    frames.head = b""
        size, payload = size - took, payload[took:]


def _stream(head: bytes) -> int:
    return int.from_bytes(head[5:9], "big") & 0x7FFFFFFF


def _begins(conversation: Conversation, head: bytes, by_client: bool, at: int, rest: int) -> None:
    """The head of a frame has come: a request or its answer may begin with it."""
    state: Http2 = conversation.state
    kind, number = head[3], _stream(head)
    exchange = state.streams.get(number)
    if by_client and kind == _HEADERS and exchange is None and number > state.last:
        exchange = state.streams[number] = conversation.ask(at, rest)
        exchange.request = b"stream %d" % number
        state.last = number
    elif not by_client and kind in (_HEADERS, _DATA) and exchange is not None and not exchange.response_at:
        conversation.answer_begins(exchange, at)


def _counted(conversation: Conversation, head: bytes, by_client: bool, at: int, count: int) -> None:
    exchange = conversation.state.streams.get(_stream(head))
    if exchange is None or head[3] not in (_HEADERS, _DATA):
        return
    if by_client:
        exchange.request_bytes += count
        exchange.request_last_at = at
    else:
        exchange.response_bytes += count
        exchange.response_last_at = at


def _frame(conversation: Conversation, head: bytes, by_client: bool, at: int, rest: int) -> None:
    """A frame has come whole; ``head`` is its beginning."""
    state: Http2 = conversation.state
    kind, flags, number, body = head[3], head[4], _stream(head), head[_HEAD:]
    exchange = state.streams.get(number)
    if kind == _GOAWAY and not by_client and len(body) >= 8:
        state.goaway = int.from_bytes(body[4:8], "big"), int.from_bytes(body[:4], "big") & 0x7FFFFFFF
    if exchange is None:
        return
    if kind == _RST_STREAM:
        code = int.from_bytes(body[:4], "big")
        del state.streams[number]
        if not by_client and not code and exchange.answer is Answer.WHOLE:
            return
        conversation.fail(
            exchange, f"RST_STREAM by the {'client' if by_client else 'server'}: {error_name(code)}"
        )
        return
    if by_client:
        return
    if kind == _HEADERS:
        status = status_of(_block(flags, body))
        exchange.status = status or exchange.status
        if 100 <= status < 200:
            return
    if kind in (_HEADERS, _DATA) and flags & _END_STREAM:
        del state.streams[number]
        conversation.finish(exchange)


def _block(flags: int, body: bytes) -> bytes:
    """The header block in a HEADERS frame, behind the padding's length and the priority."""
    return body[(1 if flags & _PADDED else 0) + (5 if flags & _PRIORITY else 0) :]

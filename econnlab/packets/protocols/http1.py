"""HTTP/1 by its grammar (RFC 9112): pipelined requests, interim answers, 101 and CONNECT, bare line feeds.

A direction is out of step after bytes that were not captured; the next packet that begins with a request line
or a status line puts it back in step.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from econnlab.packets.conversation import LONGEST_HEAD, Answer, Conversation, Exchange, Protocol, Unjudged
from econnlab.packets.protocols import http1_quick
from econnlab.packets.protocols.framing import (
    CHUNKED,
    NONE,
    UNTIL_CLOSE,
    Body,
    Chunks,
    Length,
    body_of,
    head_end,
)
from econnlab.packets.protocols.http1_state import METHODS, STATUS_LINE, Http1, Step

#: The beginning of a request line, whole or cut off; the target may be anything without spaces.
_REQUEST_LINE = re.compile(rb"[A-Z]{3,20} \S*(?: (?:HTTP/1\.[01]\r?\n|HTTP/1?\.?[01]?\r?$|H?T?T?P?/?$)|$)")
_LAST_CHUNK = b"0\r\n\r\n"
_INTERIM = range(100, 200)
_SWITCHING = 101
_NO_BODY = frozenset({204, 304})


_START, _HEAD, _BODY, _CHUNKS, _UNTIL_CLOSE, _LOST = Step


def begin(conversation: Conversation, switch: Callable[[Conversation, Exchange], None]) -> None:
    """Read ``conversation`` as HTTP/1 from here on."""
    conversation.protocol = Protocol.HTTP
    conversation.state = Http1(switch)
    conversation.client.parse, conversation.server.parse = asked, answered


def looks_like_request(payload: bytes) -> bool:
    """It begins with a request line of HTTP/1, or with as much of one as it holds."""
    line = payload[:LONGEST_HEAD].lstrip(b"\r\n").split(b"\n", 1)
    first = line[0] + (b"\n" if len(line) > 1 else b"")
    method = first.partition(b" ")[0]
    return method in METHODS and _REQUEST_LINE.match(first) is not None


def _begins_request(payload: bytes) -> bool:
    """On a connection that speaks HTTP/1: a method, or as much of one as the packet holds."""
    method, space, _ = payload[:24].partition(b" ")
    if space or not method:
        return method in METHODS
    return any(each.startswith(method) for each in METHODS)


def _is_request_line(payload: bytes) -> bool:
    """Out of step: a method and the version, or as much as the packet holds of the line."""
    line = payload[:LONGEST_HEAD].partition(b"\n")[0]
    return line.partition(b" ")[0] in METHODS and (b" HTTP/1." in line or len(line) == len(payload))


# -- the client's bytes ---------------------------------------------------------------------------


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    state: Http1 = conversation.state
    if state.asked_step is _START and http1_quick.request(conversation, state, at, size, payload):
        return
    while size > 0:
        step = state.asked_step
        if step is _BODY:
            if state.asked_left and _begins_anew(state, payload):
                state.asked_step = _START
                continue
            took = min(size, state.asked_left)
            state.asked_left -= took
            _sent(state.asked, at, took)
            size, payload = size - took, payload[took:]
            if not state.asked_left:
                state.asked_step = _START
        elif step is _START or (step is _LOST and _is_request_line(payload)):
            size, payload = _request_begins(conversation, state, at, size, payload)
        elif step is _HEAD:
            size, payload = _request_head(conversation, state, at, size, payload)
        elif step is _CHUNKS:
            size, payload = _request_chunks(state, at, size, payload)
        else:
            _sent(state.asked, at, size)
            return


def _sent(exchange: Exchange | None, at: int, count: int) -> None:
    if exchange is not None:
        exchange.request_bytes += count
        exchange.request_last_at = at


def _begins_anew(state: Http1, payload: bytes) -> bool:
    """The body that was announced never came, as the answer was there before (RFC 9110 section 10.1.1)."""
    asked_for = state.asked
    return asked_for is not None and asked_for.answer is Answer.WHOLE and looks_like_request(payload)


def _request_begins(
    conversation: Conversation, state: Http1, at: int, size: int, payload: bytes
) -> tuple[int, bytes]:
    if payload[:1] in (b"\r", b"\n"):  # empty lines before a request line (RFC 9112 section 2.2)
        rest = payload.lstrip(b"\r\n")
        if not rest:
            return 0, b""
        size, payload = size - len(payload) + len(rest), rest
    known = _begins_request(payload)
    if not known and payload and conversation.exchange is not None:
        _sent(conversation.exchange, at, size)  # not a request: rubbish, or the rest of one that was missed
        state.asked_step = _LOST
        conversation.unsure = conversation.unsure or (Unjudged.MISSING if conversation.missing else None)
        return 0, b""
    last = conversation.open[-1] if conversation.open else None
    if last is not None and last.response_at and state.answer_step is _LOST:
        conversation.finish(last, Answer.UNSURE)  # who asks again has got what it waited for
        state.answer_step = _START
    exchange = state.asked = conversation.ask(at, size)
    state.asked_step = _HEAD
    if not known:
        exchange.hidden = True
        exchange.request_bytes = size
        state.asked_step = _LOST
        return 0, b""
    return size, payload


def _request_head(
    conversation: Conversation, state: Http1, at: int, size: int, payload: bytes
) -> tuple[int, bytes]:
    exchange = state.asked
    assert exchange is not None
    before = len(exchange.request)
    head = exchange.request + payload[:LONGEST_HEAD] if before else payload
    end = head_end(head)
    if end < 0:
        exchange.request = head[:LONGEST_HEAD]
        _sent(exchange, at, size)
        if len(payload) < size or len(head) > LONGEST_HEAD:
            exchange.hidden = True
            state.asked_step = _LOST
        return 0, b""
    exchange.request = head[: min(end, LONGEST_HEAD)]
    took = end - before
    _sent(exchange, at, took)
    body = body_of(exchange.request) or NONE
    if body.length is Length.CHUNKED:
        state.asked_step, state.asked_chunks = _CHUNKS, Chunks()
    else:
        state.asked_left = body.size
        state.asked_step = _BODY if body.size else _START
    return size - took, payload[took:]


def _request_chunks(state: Http1, at: int, size: int, payload: bytes) -> tuple[int, bytes]:
    assert state.asked_chunks is not None
    left = state.asked_chunks.take(size, payload)
    took = size - max(left, 0)
    _sent(state.asked, at, took)
    if left >= 0:
        state.asked_step = _START
        return left, payload[took:]
    if left == -2:
        state.asked_step = _LOST
    return 0, b""


# -- the server's bytes ---------------------------------------------------------------------------


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    state: Http1 = conversation.state
    if state.answer_step is _BODY:
        if size < state.answer_left and conversation.open:
            going_on = conversation.open[0]  # most packets are the middle of a body
            state.answer_left -= size
            going_on.response_bytes += size
            going_on.response_last_at = at
            return
    elif state.answer_step is _START and http1_quick.response(conversation, state, at, size, payload):
        return
    while size > 0:
        step = state.answer_step
        exchange = conversation.open[0] if conversation.open else None
        if step is _BODY and exchange is not None:
            took = min(size, state.answer_left)
            state.answer_left -= took
            exchange.response_bytes += took
            exchange.response_last_at = at
            size, payload = size - took, payload[took:]
            if not state.answer_left:
                _whole(conversation, state, exchange)
        elif exchange is None:
            _unasked(conversation, at, size, payload)
            return
        elif step is _START or (step is _LOST and payload.startswith(STATUS_LINE)):
            size, payload = _response_begins(conversation, state, exchange, at, size, payload)
        elif step is _HEAD:
            size, payload = _response_head(conversation, state, exchange, at, size, payload)
            if conversation.state is not state:  # 101 or CONNECT: what follows is another protocol's
                if size > 0:
                    conversation.server.parse(conversation, at, size, payload)
                return
        elif step is _CHUNKS:
            size, payload = _response_chunks(conversation, state, exchange, at, size, payload)
        else:
            exchange.response_bytes += size
            exchange.response_last_at = at
            if step is _LOST and size == len(payload) and _ends_chunks(exchange, payload):
                _whole(conversation, state, exchange)
            return


def _ends_chunks(exchange: Exchange, payload: bytes) -> bool:
    """The last chunk stands at the end of a packet, though earlier ones were not captured to their ends."""
    return payload.endswith(_LAST_CHUNK) and body_of(exchange.response) is CHUNKED


def _unasked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """Bytes that no open request accounts for: 408, a message older than the capture, or rubbish."""
    last = conversation.exchange
    if last is not None and not payload.startswith(STATUS_LINE):
        last.response_bytes += size
        last.response_last_at = at
        return
    conversation.unasked_bytes += size
    if len(conversation.unasked) < LONGEST_HEAD:
        conversation.unasked += payload[:LONGEST_HEAD]


def _response_begins(
    conversation: Conversation, state: Http1, exchange: Exchange, at: int, size: int, payload: bytes
) -> tuple[int, bytes]:
    if state.answer_step is _LOST and exchange.response_at:
        conversation.finish(exchange, Answer.UNSURE)  # the next answer has begun
        if not conversation.open:
            _unasked(conversation, at, size, payload)
            return 0, b""
        exchange = conversation.open[0]
    if not exchange.response_at:
        conversation.answer_begins(exchange, at)
    line = payload[: len(STATUS_LINE)]
    if line and STATUS_LINE.startswith(line):
        state.answer_step = _HEAD
        return size, payload
    exchange.response = exchange.response or payload[:LONGEST_HEAD]
    state.answer_step = _LOST
    # Bytes that were captured and are no status line are an answer of another kind, not a missing one.
    exchange.answer = Answer.UNSURE
    return size, payload


def _response_head(
    conversation: Conversation, state: Http1, exchange: Exchange, at: int, size: int, payload: bytes
) -> tuple[int, bytes]:
    before = len(exchange.response)
    head = exchange.response + payload[:LONGEST_HEAD] if before else payload
    end = head_end(head)
    exchange.response_last_at = at
    if end < 0:
        exchange.response = head[:LONGEST_HEAD]
        exchange.response_bytes += size
        exchange.status = _status(head)
        if len(payload) < size or len(head) > LONGEST_HEAD:
            state.answer_step, exchange.answer = _LOST, Answer.UNSURE
        return 0, b""
    exchange.response, took = head[: min(end, LONGEST_HEAD)], end - before
    exchange.status = status = _status(head)
    exchange.response_bytes += took
    size, payload = size - took, payload[took:]
    if status in _INTERIM and status != _SWITCHING:
        exchange.response, exchange.response_bytes, exchange.response_at = b"", 0, 0
        exchange.answer, state.answer_step = Answer.NONE, _START
        return size, payload
    if status == _SWITCHING or (exchange.request.startswith(b"CONNECT ") and 200 <= status < 300):
        conversation.finish(exchange)
        state.switch(conversation, exchange)
        return size, payload
    _body_follows(conversation, state, exchange, _response_body(exchange))
    return size, payload


def _status(head: bytes) -> int:
    digits = head[9:12]
    return int(digits) if digits.isdigit() and len(digits) == 3 else 0


def _response_body(exchange: Exchange) -> Body:
    if exchange.request.startswith(b"HEAD ") or exchange.status in _NO_BODY:
        return NONE
    return body_of(exchange.response) or UNTIL_CLOSE


def _body_follows(conversation: Conversation, state: Http1, exchange: Exchange, body: Body) -> None:
    if exchange.hidden and not exchange.request:
        # It may be the answer to HEAD, which has no body whatever its head says (RFC 9112 section 6.3).
        state.answer_step, exchange.answer = _LOST, Answer.UNSURE
    elif body.length is Length.KNOWN:
        exchange.expected = exchange.response_bytes + body.size
        state.answer_left = body.size
        state.answer_step = _BODY
        if not body.size:
            _whole(conversation, state, exchange)
    elif body.length is Length.CHUNKED:
        state.answer_step, state.answer_chunks = _CHUNKS, Chunks()
    else:
        state.answer_step, exchange.answer = _UNTIL_CLOSE, Answer.UNSURE


def _response_chunks(
    conversation: Conversation, state: Http1, exchange: Exchange, at: int, size: int, payload: bytes
) -> tuple[int, bytes]:
    assert state.answer_chunks is not None
    left = state.answer_chunks.take(size, payload)
    took = size - max(left, 0)
    exchange.response_bytes += took
    exchange.response_last_at = at
    if left >= 0:
        _whole(conversation, state, exchange)
        return left, payload[took:]
    if left == -2:
        state.answer_step, exchange.answer = _LOST, Answer.UNSURE
        if size == len(payload) and payload.endswith(_LAST_CHUNK):
            _whole(conversation, state, exchange)
    return 0, b""


def _whole(conversation: Conversation, state: Http1, exchange: Exchange) -> None:
    conversation.finish(exchange)
    state.answer_step = _START

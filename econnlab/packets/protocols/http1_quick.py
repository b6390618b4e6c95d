"""The common messages of HTTP/1 in one step each: all that is out of the ordinary is left to ``http1``."""

from __future__ import annotations

from functools import lru_cache

from econnlab.packets.conversation import LONGEST_HEAD, MOST_ERRORS, Answer, Conversation
from econnlab.packets.protocols.framing import Length, body_of
from econnlab.packets.protocols.http1_state import METHODS, STATUS_LINE, Http1, Step

_LOST, _BODY = Step.LOST, Step.BODY
_BEGUN, _WHOLE = Answer.BEGUN, Answer.WHOLE
#: Methods whose answers have no body, or are no answers of HTTP.
_OTHERWISE = (b"HEAD ", b"CONNECT ")
_NO_BODY = (204, 304)


def request(conversation: Conversation, state: Http1, at: int, size: int, payload: bytes) -> bool:
    """A request that is a head in one packet, whole or cut off by the snapshot length."""
    if state.answer_step is _LOST or payload.partition(b" ")[0] not in METHODS:
        return False
    captured = len(payload)
    end = payload.find(b"\r\n\r\n") + 4
    if captured == size:
        if end != size or size > LONGEST_HEAD:
            return False
        body = body_of(payload)
        if body is not None and (body.size or body.length is not Length.KNOWN):
            return False
    elif end > 3 or not captured:
        return False
    exchange = state.asked = conversation.ask(at, size)
    exchange.request, exchange.request_bytes = payload, size
    if captured != size:
        exchange.hidden, state.asked_step = True, _LOST
    return True


def response(conversation: Conversation, state: Http1, at: int, size: int, payload: bytes) -> bool:
    """A response whose head says how long it is, and behind which nothing else came in its packet."""
    waiting = conversation.open
    end = payload.find(b"\r\n\r\n") + 4
    if end < 4 or not waiting or not payload.startswith(STATUS_LINE):
        return False
    exchange = waiting[0]
    head = payload[:end]
    status, length = _says(head)
    if length < 0 or exchange.response_at or exchange.request.startswith(_OTHERWISE) or not exchange.request:
        return False
    left = end + length - size
    if left < 0:
        return False
    conversation.answer_begins(exchange, at)
    exchange.status, exchange.response, exchange.response_bytes = status, head, size
    exchange.expected = end + length
    if left:
        state.answer_left, state.answer_step = left, _BODY
        return True
    exchange.answer = _WHOLE
    conversation.finished += 1
    if status >= 400 and exchange.is_error and len(conversation.errors) < MOST_ERRORS:
        conversation.errors.append(exchange)
    del waiting[0]
    if waiting:
        conversation.previous, conversation.exchange = exchange, waiting[0]
    return True


@lru_cache(maxsize=1024)
def _says(head: bytes) -> tuple[int, int]:
    """The status of a response, and the bytes of its body; -1 if only more than its head tells."""
    digits = head[9:12]
    status = int(digits) if digits.isdigit() else 0
    body = body_of(head)
    if status < 200 or len(head) > LONGEST_HEAD or b"\n\n" in head:
        return status, -1
    if status in _NO_BODY:
        return status, 0
    return status, body.size if body is not None and body.length is Length.KNOWN else -1

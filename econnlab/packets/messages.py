"""What the heads of a request and a response say of how long they are, and of the connection.

Not h11: the bytes may be cut off by the snapshot length, belong to half a head, or be no HTTP at all, and of
most of them nothing more is asked than whether the body was whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from econnlab.naming import ON_EVERY_HOP
from econnlab.packets.conversation import Exchange

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,15}) *\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*\bchunked *\r\n", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection: *([^\r]*)\r\n", re.IGNORECASE)
_KEEP_ALIVE = re.compile(rb"\r\nkeep-alive:[^\r]*\btimeout=(\d{1,9})", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect: *100-continue *\r\n", re.IGNORECASE)
_NAME = re.compile(rb"\r\n(?:" + b"|".join(ON_EVERY_HOP) + rb"): *([!-~]+)", re.IGNORECASE)
#: When whoever had it first began with it: s, ms or µs since the epoch (nginx, Heroku, New Relic).
_STARTED = re.compile(rb"\r\nx-(?:request|queue)-start: *t?=?(\d{10,16})(?:\.(\d{1,9}))?", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Response:
    """What a response's head says."""

    status: int
    #: Bytes of head and body together; None where it is chunked, ends with the connection, or is not known.
    size: int | None
    chunked: bool
    #: It said ``Connection: close``.
    close: bool
    #: ``Keep-Alive: timeout=N``.
    keep_alive_s: int | None
    #: Its head was seen to its end.
    whole_head: bool


def response_of(exchange: Exchange) -> Response | None:
    """The response's head; None where it is no HTTP/1 in the clear."""
    head = exchange.response
    if not head.startswith(b"HTTP/1.") or not head[9:12].isdigit():
        return None
    status = int(head[9:12])
    end = head.find(b"\r\n\r\n")
    said = head[: end + 2] if end >= 0 else head
    length, chunked = _LENGTH.search(said), _CHUNKED.search(said) is not None
    without_body = exchange.request.startswith(b"HEAD ") or status in (204, 304)
    size = None
    if end >= 0 and not chunked and (length is not None or without_body):
        size = end + 4 + (0 if without_body or length is None else int(length[1]))
    connection, keep_alive = _CONNECTION.search(said), _KEEP_ALIVE.search(said)
    tokens = connection[1].lower() if connection is not None else b""
    return Response(
        status,
        size,
        chunked and not without_body,
        b"close" in tokens or (head.startswith(b"HTTP/1.0") and b"keep-alive" not in tokens),
        int(keep_alive[1]) if keep_alive is not None else None,
        end >= 0,
    )


def missing_of_response(exchange: Exchange) -> bool:
    """The response began and is not whole, as far as its head tells."""
    if not exchange.response_at:
        return False
    response = response_of(exchange)
    if response is None:
        return False
    if not response.whole_head:
        return len(exchange.response) >= exchange.response_bytes  # else it was the capture that cut it
    if response.chunked:
        return bool(exchange.tail) and exchange.tail != _LAST_CHUNK
    return response.size is not None and exchange.response_bytes < response.size


def request_size(exchange: Exchange) -> int | None:
    """Bytes of head and body that the request's head announces; None where it does not say."""
    end = exchange.request.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(exchange.request[: end + 2])
    if length is None and _CHUNKED.search(exchange.request[: end + 2]) is not None:
        return None
    return end + 4 + (int(length[1]) if length is not None else 0)


def awaits_continue(exchange: Exchange, sent: int) -> bool:
    """Of the request, with ``sent`` bytes on their way, only the head was due: it expects 100 Continue."""
    end = exchange.request.find(b"\r\n\r\n") + 4
    return sent <= end and _EXPECTS.search(exchange.request[:end]) is not None


def request_name(exchange: Exchange) -> bytes:
    """What tells this request from others on whatever hop it is met: its id, or else its first bytes."""
    found = _NAME.search(exchange.request)
    return found[1] if found is not None else exchange.request[:1024]


def has_id(exchange: Exchange) -> bool:
    """A header of the request names it on every hop."""
    return _NAME.search(exchange.request) is not None


def started_ns(exchange: Exchange) -> int | None:
    """When its sender began with it, by its own clock (X-Request-Start); None where it does not say."""
    found = _STARTED.search(exchange.request)
    if found is None:
        return None
    digits = found[1] + (found[2] or b"")[: 19 - len(found[1])]
    seconds = found[1][:10]
    return int(seconds) * 1_000_000_000 + int(digits[10:19].ljust(9, b"0"))


def first_line(head: bytes) -> str:
    """``GET /orders HTTP/1.1``: untrusted text, to be made harmless before it is shown."""
    return head.partition(b"\r\n")[0][:200].decode("latin-1")

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


@dataclass(frozen=True, slots=True)
class Response:
    """What a response's head says."""

    status: int
    #: It said ``Connection: close``.
    close: bool
    #: ``Keep-Alive: timeout=N``.
    keep_alive_s: int | None


def response_of(exchange: Exchange) -> Response | None:
    """The response's head; None where it is no HTTP/1 in the clear."""
    head = exchange.response
    if not head.startswith(b"HTTP/1.") or not head[9:12].isdigit():
        return None
    said = head
    connection, keep_alive = _CONNECTION.search(said), _KEEP_ALIVE.search(said)
    tokens = connection[1].lower() if connection is not None else b""
    return Response(
        int(head[9:12]),
        b"close" in tokens or (head.startswith(b"HTTP/1.0") and b"keep-alive" not in tokens),
        int(keep_alive[1]) if keep_alive is not None else None,
    )


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

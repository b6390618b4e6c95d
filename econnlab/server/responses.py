"""What the lab server answers, as bytes."""

from __future__ import annotations

import http

import h11

from econnlab.scenario.model import ServerSpec

#: The header in which the lab's clients name their request, so that ledgers can count what was done.
REQUEST_ID = b"x-econnlab-request"
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE"}


def response_bytes(
    connection: h11.Connection, request: h11.Request, spec: ServerSpec, *, refuse: bool
) -> tuple[int, bytes]:
    """The status and the whole response to ``request``, entered into ``connection``'s state."""
    if refuse:
        status, body, extra = 503, b"over capacity\n", [("Retry-After", "1"), ("Connection", "close")]
    elif request.method not in METHODS:
        status, body, extra = 405, b"method not allowed\n", [("Allow", "GET, HEAD, POST, PUT, DELETE")]
    else:
        status, body, extra = 200, body_of(spec.response_size), []
    if spec.advertise and not refuse and _stays_open(connection):
        extra = [
            *extra,
            ("Connection", "keep-alive"),
            ("Keep-Alive", f"timeout={int(spec.keepalive_timeout_ms // 1000)}"),
        ]
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *extra]
    reason = http.HTTPStatus(status).phrase.encode("ascii")
    parts = [connection.send(h11.Response(status_code=status, headers=headers, reason=reason))]
    if request.method != b"HEAD":
        parts.append(connection.send(h11.Data(data=body)))
    parts.append(connection.send(h11.EndOfMessage()))
    return status, b"".join(part or b"" for part in parts)


def _stays_open(connection: h11.Connection) -> bool:
    return connection.their_state is not h11.MUST_CLOSE


def body_of(size: int) -> bytes:
    """``size`` bytes of text; the default of 3 reads ``ok`` and a line's end."""
    return (b"ok\n" * (size // 3 + 1))[:size] if size != 3 else b"ok\n"


def error_bytes(status: int) -> bytes:
    """An answer to what was not HTTP: the connection closes after it."""
    phrase = http.HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode("ascii")

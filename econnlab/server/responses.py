"""What the lab server answers, as bytes."""

from __future__ import annotations

import http

import h11

from econnlab.naming import ON_EVERY_ATTEMPT
from econnlab.scenario.server import ServerSpec

_NAMES = {name: rank for rank, name in enumerate(ON_EVERY_ATTEMPT)}
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE"}
CHUNK = 16384

OK = 200
NOT_ALLOWED = 405
TOO_LARGE = 413
UNAVAILABLE = 503
_BODIES = {
    NOT_ALLOWED: b"method not allowed\n",
    TOO_LARGE: b"body too large\n",
    UNAVAILABLE: b"over capacity\n",
}
_HEADERS = {NOT_ALLOWED: [("Allow", "GET, HEAD, POST, PUT, DELETE")], UNAVAILABLE: [("Retry-After", "1")]}


def request_id_of(request: h11.Request) -> str | None:
    """What its client calls the request, so that ledgers can count what was done; None where it does not."""
    found = [(_NAMES[name], value) for name, value in request.headers if name in _NAMES]
    return min(found)[1].decode("ascii", "replace") if found else None


def status_of(request: h11.Request) -> int:
    """What a request that nothing stands against is answered with."""
    return OK if request.method in METHODS else NOT_ALLOWED


def response_bytes(
    connection: h11.Connection, request: h11.Request, spec: ServerSpec, status: int, *, last: bool
) -> tuple[bytes, bytes]:
    """Head and body of the response to ``request``, entered into ``connection``'s state.

    ``last`` says ``Connection: close``.
    """
    body = _BODIES[status] if status in _BODIES else body_of(spec.response_size)
    headers = [("Content-Type", "text/plain"), *_HEADERS.get(status, []), *_framing(spec, body)]
    if last:
        headers.append(("Connection", "close"))
    elif spec.advertise and connection.their_state is not h11.MUST_CLOSE:
        seconds = int(spec.keepalive_timeout_ms // 1000)
        headers += [("Connection", "keep-alive"), ("Keep-Alive", f"timeout={seconds}")]
    reason = http.HTTPStatus(status).phrase.encode("ascii")
    head = connection.send(h11.Response(status_code=status, headers=headers, reason=reason)) or b""
    parts = []
    if request.method != b"HEAD":
        size = CHUNK if spec.chunked else max(len(body), 1)
        for start in range(0, len(body), size):
            parts.append(connection.send(h11.Data(data=body[start : start + size])))
    parts.append(connection.send(h11.EndOfMessage()))
    return head, b"".join(part or b"" for part in parts)


def _framing(spec: ServerSpec, body: bytes) -> list[tuple[str, str]]:
    return [("Transfer-Encoding", "chunked")] if spec.chunked else [("Content-Length", str(len(body)))]


def body_of(size: int) -> bytes:
    """``size`` bytes of text; the default of 3 reads ``ok`` and a line's end."""
    return (b"ok\n" * (size // 3 + 1))[:size]


def error_bytes(status: int) -> bytes:
    """An answer to what was no whole request: the connection closes after it."""
    phrase = http.HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode("ascii")

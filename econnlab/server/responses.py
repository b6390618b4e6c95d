"""The answers of the lab server, as bytes."""

import http
import math
from dataclasses import dataclass

import h11

from econnlab.naming import KEYS, ON_EVERY_ATTEMPT
from econnlab.scenario.server import Route, ServerSpec

_NAMES = {name: rank for rank, name in enumerate(ON_EVERY_ATTEMPT)}
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"}
CHUNK = 16384

OK = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "text/plain"


NOT_ALLOWED = Reply(
    405, b"method not allowed\n", (("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)
)
TOO_LARGE = Reply(413, b"body too large\n")
UNAVAILABLE = Reply(503, b"over capacity\n", (("Retry-After", "1"),))


def ok_answer(spec: ServerSpec) -> Reply:
    """The answer to a request that was carried out."""
    body = body_of(spec.response_size) if spec.response_body is None else spec.response_body.encode()
    return Reply(OK, body, content_type=spec.content_type)


def route_answer(route: Route, spec: ServerSpec) -> Reply:
    """The answer that ``route`` gives."""
    usual = ok_answer(spec) if route.status == OK else error_answer(spec)
    body = usual.body if route.body is None else route.body.encode()
    return Reply(route.status, body, content_type=route.content_type or usual.content_type)


def error_answer(spec: ServerSpec) -> Reply:
    """The error that the scenario asks for."""
    headers = []
    if spec.retry_after_ms is not None:
        headers.append(("Retry-After", str(math.ceil(spec.retry_after_ms / 1000))))
    return Reply(spec.status, b"not now\n", tuple(headers))


def request_id_of(request: h11.Request) -> str | None:
    """The client's name for the request, by which ledgers count; None without one."""
    found = [(_NAMES[name], value) for name, value in request.headers if name in _NAMES]
    return min(found)[1].decode("ascii", "replace") if found else None


def is_keyed(request: h11.Request) -> bool:
    """The request carries an Idempotency-Key."""
    return any(name in KEYS for name, _ in request.headers)


def response_bytes(
    connection: h11.Connection, request: h11.Request, spec: ServerSpec, answer: Reply, *, last: bool
) -> tuple[bytes, bytes]:
    """Head and body of ``answer`` to ``request``, entered into ``connection``'s state.

    ``last`` says ``Connection: close``.
    """
    body = answer.body
    headers = [("Content-Type", answer.content_type), *answer.headers, *_framing(spec, body)]
    if last:
        headers.append(("Connection", "close"))
    elif spec.advertise and connection.their_state is not h11.MUST_CLOSE:
        seconds = int(spec.keepalive_timeout_ms // 1000)
        headers += [("Connection", "keep-alive"), ("Keep-Alive", f"timeout={seconds}")]
    reason = _phrase(answer.status).encode("ascii")
    head = connection.send(h11.Response(status_code=answer.status, headers=headers, reason=reason)) or b""
    parts = []
    if request.method != b"HEAD":
        size = CHUNK if spec.chunked else max(len(body), 1)
        for start in range(0, len(body), size):
            parts.append(connection.send(h11.Data(data=body[start : start + size])))
    parts.append(connection.send(h11.EndOfMessage()))
    return head, b"".join(part or b"" for part in parts)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""  # the phrase may be empty (RFC 9112 section 4)


def _framing(spec: ServerSpec, body: bytes) -> list[tuple[str, str]]:
    return [("Transfer-Encoding", "chunked")] if spec.chunked else [("Content-Length", str(len(body)))]


def body_of(size: int) -> bytes:
    """``size`` bytes of text; the default of 3 is ``ok`` and a newline."""
    return (b"ok\n" * (size // 3 + 1))[:size]


def error_bytes(status: int) -> bytes:
    """An answer to an incomplete or invalid request; the connection closes after it."""
    line = f"HTTP/1.1 {status} {_phrase(status)}"
    return f"{line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode("ascii")

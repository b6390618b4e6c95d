"""The head of a response, as a probe keeps it."""

from __future__ import annotations

from collections.abc import Sequence

import h11

from econnlab.commands.probe.seen import Framing, Head

_STATUS_DIGITS = 3


def head_of(
    response: h11.Response, size: int, interim: Sequence[int], method: str, connection: h11.Connection
) -> Head:
    """The head of ``response`` to ``method``, whose body of ``size`` bytes ``connection`` has read."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in response.headers:
        values.setdefault(name, []).append(value)

    def text(name: bytes) -> str | None:
        found = values.get(name)
        return b", ".join(found).decode("latin-1") if found else None

    framing = _framing(response, values, method)
    done = connection.their_state is h11.DONE and connection.our_state is h11.DONE
    return Head(
        response.http_version.decode(),
        response.status_code,
        text(b"keep-alive"),
        text(b"connection"),
        text(b"server"),
        text(b"location"),
        framing,
        size,
        tuple(interim),
        (done or _kept_as_http_1_0(response, values)) and framing is not Framing.UNTIL_CLOSE,
    )


def _kept_as_http_1_0(response: h11.Response, values: dict[bytes, list[bytes]]) -> bool:
    """HTTP/1.0 with ``Connection: keep-alive`` persists (RFC 9112 section 9.3); clients reuse it."""
    options = b",".join(values.get(b"connection", [])).lower().split(b",")
    return response.http_version == b"1.0" and b"keep-alive" in {option.strip() for option in options}


def _framing(response: h11.Response, values: dict[bytes, list[bytes]], method: str) -> Framing:
    if method == "HEAD" or response.status_code in (204, 304):
        return Framing.NO_BODY
    if b"transfer-encoding" in values:
        return Framing.CHUNKED
    return Framing.LENGTH if b"content-length" in values else Framing.UNTIL_CLOSE


def status_said(unasked: bytes) -> str:
    """The status of a response without a request, such as 408 (RFC 9110 section 15.5.9)."""
    words = unasked.split(b"\r\n", 1)[0].split()
    spoken = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return words[1][:_STATUS_DIGITS].decode() if spoken else "bytes"

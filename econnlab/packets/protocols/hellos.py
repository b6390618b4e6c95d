"""What the hello messages of a TLS handshake say (RFC 8446 section 4.1): version and application protocol."""

from __future__ import annotations

from typing import NamedTuple

_CLIENT_HELLO, SERVER_HELLO = 1, 2
_ALPN, _EARLY_DATA, _VERSIONS = 16, 42, 43
_TLS13 = 0x0304


class Hello(NamedTuple):
    """A hello as far as it could be read."""

    #: Protocols offered, or the one chosen: ``h2``, ``http/1.1``.
    alpn: tuple[str, ...] = ()
    tls13: bool = False
    early_data: bool = False


def read(body: bytes) -> Hello | None:
    """The hello in a handshake record's ``body``; None if it holds none, or a server's that is cut off."""
    if len(body) < 40 or body[0] not in (_CLIENT_HELLO, SERVER_HELLO):
        return None
    if body[0] == SERVER_HELLO and len(body) < 4 + int.from_bytes(body[1:4], "big"):
        return None
    at = 38  # type, length, version and random
    at += 1 + body[at]
    if body[0] == SERVER_HELLO:
        at += 3
    else:
        at += 2 + int.from_bytes(body[at : at + 2], "big")
        at += 1 + (body[at] if len(body) > at else 0)
    alpn: tuple[str, ...] = ()
    tls13 = early = False
    for kind, value in _extensions(body, at + 2):
        if kind == _ALPN:
            alpn = _names(value)
        elif kind == _VERSIONS:
            tls13 = (
                value == b"\3\4"
                if body[0] == SERVER_HELLO
                else b"\3\4" in (value[1:3], value[3:5], value[5:7])
            )
        elif kind == _EARLY_DATA:
            early = True
    return Hello(alpn, tls13, early)


def _extensions(body: bytes, at: int) -> list[tuple[int, bytes]]:
    found = []
    while at + 4 <= len(body):
        kind, size = body[at] << 8 | body[at + 1], body[at + 2] << 8 | body[at + 3]
        found.append((kind, body[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


def _names(value: bytes) -> tuple[str, ...]:
    names, at = [], 2
    while at < len(value):
        size = value[at]
        names.append(value[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    return tuple(names)

"""Servers that speak the beginning of a database's protocol and then fail on purpose."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator

from tests.support.failing import listening

_RST = struct.pack("ii", 1, 0)
#: Protocol 10, version, thread, salt, capabilities, collation, status, more salt, the plugin's name.
_MYSQL_GREETING = (
    b"\x0a8.0.30\x00\x01\x00\x00\x0012345678\x00\xff\xf7\xff\x02\x00\xff\xdf\x15"
    + bytes(10)
    + b"123456789012\x00mysql_native_password\x00"
)
_MYSQL_OK = b"\x00\x00\x00\x02\x00\x00\x00"


def _mysql(connection: socket.socket) -> None:
    """Greet, and take any login."""
    connection.sendall(_packet(_MYSQL_GREETING, 0))
    connection.recv(65536)
    connection.sendall(_packet(_MYSQL_OK, 2))


def _packet(body: bytes, number: int) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def _postgres(connection: socket.socket) -> None:
    """Take any login: AuthenticationOk, the version, ReadyForQuery."""
    asked = connection.recv(65536)
    if asked[4:8] == b"\x04\xd2\x16/":  # SSLRequest
        connection.sendall(b"N")
        connection.recv(65536)
    parameters = b"".join(
        _message(b"S", name + b"\0" + value + b"\0")
        for name, value in (
            (b"server_version", b"15.0"),
            (b"client_encoding", b"UTF8"),
            (b"standard_conforming_strings", b"on"),
        )
    )
    ready = _message(b"K", struct.pack("!II", 1, 2)) + _message(b"Z", b"I")
    connection.sendall(_message(b"R", struct.pack("!I", 0)) + parameters + ready)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _nothing(connection: socket.socket) -> None:
    """No login: the first bytes of the client are the request."""


LOGINS = {"postgres": _postgres, "mysql": _mysql, "redis": _nothing, "plain": _nothing}


def _ways(login: Callable[[socket.socket], None]) -> dict[str, Callable[[socket.socket], None]]:
    def fin(connection: socket.socket) -> None:
        login(connection)
        connection.recv(65536)

    def rst(connection: socket.socket) -> None:
        fin(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)

    def silent(connection: socket.socket) -> None:
        login(connection)
        while connection.recv(65536):
            pass

    def now(connection: socket.socket) -> None:
        """Close at once."""

    return {"fin": fin, "rst": rst, "silent": silent, "now": now}


@contextlib.contextmanager
def failing_databases() -> Iterator[dict[str, dict[str, int]]]:
    """The ports, by protocol and way; ``refused`` is one on which nothing listens."""
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        ports = {
            protocol: {way: stack.enter_context(listening(act)) for way, act in _ways(login).items()}
            for protocol, login in LOGINS.items()
        }
        yield {protocol: {**some, "refused": deaf.getsockname()[1]} for protocol, some in ports.items()}

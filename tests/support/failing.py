"""Servers that fail on purpose, each in one way, to hear how programs say it."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator

_PATIENCE_S = 20.0
_RST = struct.pack("ii", 1, 0)
_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf of it"
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def _request(connection: socket.socket) -> bytes:
    """One whole request, or a TLS record: what stays unread would turn the close into an RST."""
    got = b""
    while True:
        head, blank, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        whole = blank and (
            body.endswith(b"0\r\n\r\n")
            if b"encoding: chunked" in head.lower()
            else len(body) >= int(length[1] if length else 0)
        )
        if whole or got[:1] == b"\x16":
            return got
        some = connection.recv(65536)
        if not some:
            return got
        got += some


def _answer(data: bytes, *, reset: bool = False) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        _request(connection)
        if data:
            connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)

    return act


def _second(connection: socket.socket) -> None:
    """Answer once, and close when the connection is used again."""
    _request(connection)
    connection.sendall(_WHOLE)
    _request(connection)


def _silent(connection: socket.socket) -> None:
    """Never answer; until the client goes."""
    while connection.recv(65536):
        pass


def _reset_inside(connection: socket.socket) -> None:
    """Let the client read the half before the RST comes: it goes only when the client has gone or waits."""
    _request(connection)
    connection.sendall(_LENGTH)
    connection.settimeout(0.1)
    with contextlib.suppress(TimeoutError):
        connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)


#: What each does with a connection; it is closed after that.
WAYS: dict[str, Callable[[socket.socket], None]] = {
    "fin": _answer(b""),
    "rst": _answer(b"", reset=True),
    "second": _second,
    "cut": _answer(_LENGTH),
    "cut-rst": _reset_inside,
    "cut-chunked": _answer(_CHUNKED),
    "garbage": _answer(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n"),
    "silent": _silent,
    "tls-fin": _answer(b""),
    "tls-rst": _answer(b"", reset=True),
    "tls-plain": _answer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
}
#: The causes of which one must be among an answer's first two.
RIGHT = {
    "fin": {"keepalive_race", "close_after_response", "over_capacity", "crash", "idle_drop", "restart"},
    "rst": {
        "unread_data",
        "keepalive_race",
        "over_capacity",
        "crash",
        "idle_drop",
        "restart",
        "early_response",
    },
    "second": {"keepalive_race", "idle_drop", "restart"},
    "cut": {"response_cut"},
    "cut-rst": {"response_cut", "unread_data"},
    "cut-chunked": {"response_cut"},
    "garbage": {"invalid_response", "tls_mismatch", "protocol_error"},
    "silent": {"slow_response", "idle_drop"},
    "refused": {"not_listening"},
    "tls-fin": {"tls_closed", "tls_mismatch"},
    "tls-rst": {"tls_closed", "unread_data", "middlebox_reset", "tls_mismatch"},
    "tls-plain": {"tls_mismatch", "invalid_response"},
}


@contextlib.contextmanager
def failing() -> Iterator[dict[str, str]]:
    """A server for each way; their URLs. ``refused`` is a port on which nothing listens."""
    with contextlib.ExitStack() as stack:
        urls = {way: _url(way, stack.enter_context(listening(act))) for way, act in WAYS.items()}
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        urls["refused"] = _url("refused", deaf.getsockname()[1])
        yield urls


@contextlib.contextmanager
def listening(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose connections are each handed to ``act`` and then closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        thread = threading.Thread(target=_serve, args=(server, act), daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(_PATIENCE_S)


def _serve(server: socket.socket, act: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_one, args=(connection, act), daemon=True).start()


def _one(connection: socket.socket, act: Callable[[socket.socket], None]) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(_PATIENCE_S)
        act(connection)


def _url(way: str, port: int) -> str:
    return f"{'https' if way.startswith('tls') else 'http'}://127.0.0.1:{port}/"

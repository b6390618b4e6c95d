"""A client that does one thing at a time, to see what a server does."""

from __future__ import annotations

import socket
import struct
from types import TracebackType

import h11

from tests.conftest import DEADLINE_S


class Raw:
    """A connection of bytes. A context manager."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(DEADLINE_S)
        self._rest = b""
        #: An RST can come before connect(2) returns, on a busy machine: the connection had been made.
        self._reset_already = False
        try:
            self.sock.connect(address)
        except ConnectionResetError:
            self._reset_already = True
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self) -> Raw:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    @property
    def local(self) -> str:
        """Its address as ledgers write it."""
        return "{}:{}".format(*self.sock.getsockname())

    def send(self, method: str = "GET", *headers: str, body: bytes = b"", version: str = "1.1") -> None:
        """Send a request."""
        lines = [f"{method} / HTTP/{version}", "Host: lab", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def response(self, method: str = "GET") -> tuple[h11.Response, bytes]:
        """Read one response."""
        connection = h11.Connection(h11.CLIENT)
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "lab")]))
        connection.send(h11.EndOfMessage())
        if self._rest:
            connection.receive_data(self._rest)
        response, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(self.sock.recv(65536))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._rest = connection.trailing_data[0]
                assert response is not None
                return response, body
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError

    def ask(self, method: str = "GET", *headers: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its response: status, headers, body."""
        self.send(method, *headers, body=body)
        response, content = self.response(method)
        return response.status_code, {k.decode(): v.decode() for k, v in response.headers}, content

    def ending(self) -> str:
        """Wait for the end: ``fin`` or ``rst``. Bytes before it are an error of the test."""
        if self._reset_already:
            return "rst"
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            return "rst"
        assert data == b""
        return "fin"

    def reset(self) -> None:
        """Close with an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

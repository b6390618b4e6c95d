"""The server that is probed, and the request."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from importlib.metadata import version

import h11

from econnlab.system.sockets import address


@dataclass(frozen=True)
class ProbeTarget:
    """A server: the parts of its URL, and one of its addresses."""

    url: str
    host: str
    #: As in the Host header: with the port, unless it is the scheme's default.
    authority: str
    path: str
    method: str
    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    #: None: plain HTTP.
    tls: ssl.SSLContext | None = None
    #: A body with more bytes is not read to its end.
    longest_body: int = 10_000_000

    @property
    def address(self) -> str:
        """``127.0.0.1:8080``."""
        return address(self.sockaddr)

    def at(self, family: int, sockaddr: tuple[str, int] | tuple[str, int, int, int]) -> ProbeTarget:
        """The same at another address."""
        return replace(self, family=family, sockaddr=sockaddr)

    def socket(self) -> socket.socket:
        """A new, non-blocking socket, not connected."""
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def request(self) -> h11.Request:
        """The request. Its User-Agent says who asks, and why."""
        return h11.Request(
            method=self.method,
            target=self.path,
            headers=[
                ("Host", self.authority),
                ("User-Agent", user_agent()),
                ("Accept", "*/*"),
                ("Connection", "keep-alive"),
            ],
        )


def user_agent() -> str:
    """``econnlab-probe/0.1.0 (+what it does)``."""
    return f"econnlab-probe/{version('econnlab')} (+measures how long this server keeps idle connections)"

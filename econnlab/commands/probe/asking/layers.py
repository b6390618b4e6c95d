"""What lies between HTTP and the socket: nothing, or TLS. Bytes in, bytes out, so that a request can be
enciphered before it is due."""

from __future__ import annotations

import ssl
from typing import Protocol

from econnlab.commands.probe.asking.target import Target
from econnlab.commands.probe.seen import Security


class Layer(Protocol):
    """Turns bytes of HTTP into those on the wire, and back."""

    #: HTTP may be spoken.
    established: bool
    #: The far end has said that no more comes.
    closed: bool

    def greet(self) -> bytes:
        """What is to be sent first."""

    def seal(self, data: bytes) -> bytes:
        """``data`` as it goes on the wire."""

    def unseal(self, data: bytes) -> tuple[bytes, bytes]:
        """What ``data`` from the wire holds, and what is to be sent for it. Raises ssl.SSLError."""


class Plain:
    """No layer at all."""

    established = True
    closed = False

    def greet(self) -> bytes:
        """Nothing."""
        return b""

    def seal(self, data: bytes) -> bytes:
        """``data``."""
        return data

    def unseal(self, data: bytes) -> tuple[bytes, bytes]:
        """``data``."""
        return data, b""


class Tls:
    """TLS by OpenSSL, over memory."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.established = False
        self.closed = False

    def greet(self) -> bytes:
        """The ClientHello."""
        return self._shake()

    def seal(self, data: bytes) -> bytes:
        """One or more records."""
        self._tls.write(data)
        return self._outgoing.read()

    def unseal(self, data: bytes) -> tuple[bytes, bytes]:
        """What the records hold; before the handshake is over, its next words."""
        self._incoming.write(data)
        answer = b"" if self.established else self._shake()
        held = b""
        if self.established:
            try:
                while chunk := self._tls.read(65536):
                    held += chunk
                self.closed = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                self.closed = True
        return held, answer + self._outgoing.read()

    def security(self) -> Security:
        """Version, cipher and protocol."""
        cipher = self._tls.cipher()
        return Security(
            self._tls.version() or "", cipher[0] if cipher else "", self._tls.selected_alpn_protocol(), ""
        )

    def _shake(self) -> bytes:
        try:
            self._tls.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read()


def layer_for(target: Target) -> Layer:
    """What ``target`` speaks."""
    return Plain() if target.tls is None else Tls(target.tls, target.host)

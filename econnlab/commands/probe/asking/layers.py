"""The layer between HTTP and the socket: none, or TLS. It works on bytes, so that a request can be encrypted
before it is due."""

from __future__ import annotations

import ssl

from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.commands.probe.seen import Security


class Layer:
    """Turns bytes of HTTP into those on the wire, and back. This one, for plain HTTP, changes nothing."""

    #: HTTP may begin.
    established = True
    #: The peer has announced that it sends nothing more.
    closed = False

    def greet(self) -> bytes:
        """The bytes to send first."""
        return b""

    def seal(self, data: bytes) -> bytes:
        """``data`` as it is sent on the wire."""
        return data

    def unseal(self, data: bytes) -> tuple[bytes, bytes]:
        """The content of ``data`` from the wire, and the bytes to send in reply. Raises ssl.SSLError."""
        return data, b""


class Tls(Layer):
    """TLS by OpenSSL, in memory."""

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
        """The content of the records; during the handshake, the bytes of its next step."""
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


def layer_for(target: ProbeTarget) -> Layer:
    """The layer for ``target``."""
    return Layer() if target.tls is None else Tls(target.tls, target.host)

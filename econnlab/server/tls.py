"""TLS for connections of the lab server, with the calls of a plain socket."""

import contextlib
import socket
import ssl
import sys
import tempfile

#: A fatal alert, required by RFC 8446 section 6.2 and sent by Java servers; OpenSSL sends none.
_UNEXPECTED_MESSAGE = b"\x15\x03\x01\x00\x02\x02\x0a"
_PLAIN_HTTP = ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST")


def server_context(certificate: str) -> ssl.SSLContext:
    """A context with a certificate and its key, in PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() if sys.platform == "darwin" else tempfile.TemporaryFile() as file:
        file.write(certificate.encode())
        file.flush()
        # OpenSSL reads files only. On Linux one without a name will do, so that no key is left behind.
        context.load_cert_chain(file.name if sys.platform == "darwin" else f"/proc/self/fd/{file.fileno()}")
    return context


class TlsSocket:
    """A non-blocking TLS socket; its calls raise BlockingIOError when those of a plain one would.

    A FIN without close_notify reads as the end, as it does for most servers.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, *, close_notify: bool) -> None:
        self._sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._close_notify = close_notify
        #: The handshake has been completed.
        self.established = False

    def fileno(self) -> int:
        """-1 once closed."""
        return self._sock.fileno()

    def shake_hands(self) -> None:
        """Continue the handshake. Raises BlockingIOError if more must come, OSError if it fails."""
        try:
            self._sock.do_handshake()
            self.established = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except ssl.SSLError as error:
            if error.reason in _PLAIN_HTTP:
                with contextlib.suppress(OSError):
                    socket.socket.send(self._sock, _UNEXPECTED_MESSAGE)
            raise

    def take(self, size: int) -> None:
        """Read up to ``size`` bytes from beneath TLS, and forget them."""
        with contextlib.suppress(OSError):
            socket.socket.recv(self._sock, size)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes from inside TLS; empty at its end."""
        try:
            return self._sock.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def pending(self) -> bool:
        """OpenSSL holds bytes that the poller knows nothing of."""
        return self._sock.pending() > 0

    def send(self, data: bytes | memoryview) -> int:
        """As much of ``data`` as is taken now."""
        try:
            return self._sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def shutdown(self, how: int) -> None:
        """shutdown(2), beneath TLS."""
        self._sock.shutdown(how)

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        """setsockopt(2)."""
        self._sock.setsockopt(level, option, value)

    def close(self) -> None:
        """Send close_notify if that is asked for, without waiting for the client's, and close(2)."""
        if self._close_notify and self.established:
            with contextlib.suppress(OSError):
                self._sock.unwrap()
        self._sock.close()

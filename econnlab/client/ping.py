"""A ping on an idle connection before a request reuses it.

It costs a round trip before each request. The race remains, but the ping is lost in place of the request.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

#: It concerns no resource (RFC 9110 section 9.3.7).
_PING = "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n"


def answers(sock: socket.socket, host: str) -> bool:
    """Whether an HTTP server at the other end of the idle ``sock`` answers, and keeps the connection."""
    # Called on the class, so that no witness takes the ping for the request.
    kind: Any = ssl.SSLSocket if isinstance(sock, ssl.SSLSocket) else socket.socket
    try:
        kind.sendall(sock, _PING.format(host=host).encode("ascii"))
        response = http.client.HTTPResponse(sock, method="OPTIONS")
        response.begin()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    kept = not response.will_close
    response.close()
    return kept

"""A question on an idle connection before it is trusted with a request.

It costs a round trip before each request, and does not end the race but makes it harmless: a ping that is
lost can be thrown away.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

#: Asks nothing of any resource (RFC 9110 section 9.3.7).
_PING = "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n"


def answers(sock: socket.socket, host: str) -> bool:
    """Whether an HTTP server at the other end of the idle ``sock`` answers, and keeps the connection."""
    # By the class: a witness must not take this for the request.
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

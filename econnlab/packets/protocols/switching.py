"""What a connection speaks after 101 or CONNECT (RFC 9110 sections 7.8 and 9.3.6)."""

from __future__ import annotations

from econnlab.packets.conversation import Conversation, Exchange
from econnlab.packets.protocols import http2, other, tls, websocket

_UPGRADE = b"\nupgrade:"
_SWITCHING_PROTOCOLS = 101


def switch(conversation: Conversation, exchange: Exchange) -> None:
    """Choose the reader of what follows the answer to ``exchange``."""
    if exchange.status != _SWITCHING_PROTOCOLS:
        conversation.state = None
        conversation.client.parse, conversation.server.parse = asked_inside, answered_inside
        return
    head = exchange.response.lower()
    at = head.find(_UPGRADE)
    name = head[at + len(_UPGRADE) :].split(b"\n", 1)[0].strip() if at >= 0 else b""
    if name.startswith(b"websocket"):
        websocket.begin(conversation)
    elif name == b"h2c":
        http2.begin(conversation, upgraded=exchange)
    else:
        other.begin(conversation, "a protocol after 101")


def asked_inside(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """The first bytes of the client inside a tunnel: TLS, or nothing that is read."""
    if tls.looks_like_hello(payload):
        tls.begin(conversation)
    else:
        other.begin(conversation, "an unknown protocol inside CONNECT")
    conversation.client.parse(conversation, at, size, payload)


def answered_inside(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """The server speaks first inside a tunnel."""
    other.begin(conversation, "an unknown protocol inside CONNECT")

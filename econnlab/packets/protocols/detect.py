"""What a connection speaks, by the first bytes of it that were captured."""

from __future__ import annotations

import re

from econnlab.packets.conversation import LONGEST_HEAD, Conversation
from econnlab.packets.protocols import http1, http2, mysql, other, postgres, redis, switching, tls
from econnlab.packets.protocols.records import looks_like_record

#: The PROXY protocol in front of what is spoken (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
_PROXY_LINE = re.compile(rb"PROXY (?:TCP[46]|UNKNOWN)[^\r\n]{0,100}\r\n")
_PROXY_BINARY = b"\r\n\r\n\0\r\nQUIT\n"


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> int | None:
    """The first bytes of the client."""
    if conversation.unasked and not conversation.greeting:
        conversation.greeting = not conversation.unasked.startswith(b"HTTP/1.")
    if payload.startswith(b"HTTP/1.") and not conversation.from_beginning and not conversation.unasked:
        _swap(conversation)  # without a SYN it was a guess who is the client
        return conversation.server.parse(conversation, at, size, payload)
    ahead = _proxy_header(payload)
    if ahead:
        size, payload = size - ahead, payload[ahead:]
        if size <= 0:
            return None
    _choose(conversation, payload)
    return conversation.client.parse(conversation, at, size, payload)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> int | None:
    """Bytes of the server before any of the client."""
    if not conversation.from_beginning and not conversation.unasked:
        if (
            http1.looks_like_request(payload)
            or tls.looks_like_hello(payload)
            or payload.startswith(http2.PREFACE)
        ):
            _swap(conversation)
            return conversation.client.parse(conversation, at, size, payload)
        if looks_like_record(payload):
            tls.begin(conversation)
            return conversation.server.parse(conversation, at, size, payload)
    if not conversation.unasked and conversation.from_beginning and mysql.looks_like_greeting(payload):
        mysql.begin(conversation)
        return conversation.server.parse(conversation, at, size, payload)
    conversation.unasked_bytes += size
    if len(conversation.unasked) < LONGEST_HEAD:
        conversation.unasked += payload[:LONGEST_HEAD]
    return None


def _choose(conversation: Conversation, payload: bytes) -> None:
    if http1.looks_like_request(payload):
        http1.begin(conversation, switching.switch)
    elif looks_like_record(payload) and (tls.looks_like_hello(payload) or not conversation.from_beginning):
        tls.begin(conversation)
    elif payload.startswith(http2.PREFACE):
        http2.begin(conversation)
    elif postgres.looks_like_startup(payload) and not conversation.greeting:
        postgres.begin(conversation)
    elif redis.looks_like_command(conversation, payload) and not conversation.greeting:
        redis.begin(conversation)
    elif not conversation.from_beginning and conversation.unasked.startswith(b"HTTP/1."):
        http1.begin(conversation, switching.switch)
    else:
        other.begin(conversation, "SSH" if payload.startswith(b"SSH-") else "")


def _proxy_header(payload: bytes) -> int:
    """Bytes of a PROXY header in front."""
    if payload.startswith(_PROXY_BINARY) and len(payload) >= 16:
        return 16 + (payload[14] << 8 | payload[15])
    found = _PROXY_LINE.match(payload) if payload.startswith(b"PROXY ") else None
    return found.end() if found is not None else 0


def _swap(conversation: Conversation) -> None:
    """Client and server change places."""
    conversation.client, conversation.server = conversation.server, conversation.client
    conversation.client.parse, conversation.server.parse = asked, answered
    if conversation.early:
        conversation.early = [each._replace(by_client=not each.by_client) for each in conversation.early]

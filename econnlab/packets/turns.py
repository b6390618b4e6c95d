"""Where a request begins and what is none, in HTTP in the clear, in TLS, and in anything else."""

from __future__ import annotations

from econnlab.packets.conversation import Conversation

_METHODS = frozenset(
    b"GET POST PUT HEAD DELETE OPTIONS PATCH CONNECT TRACE PROPFIND REPORT MKCOL MOVE COPY SEARCH".split()
)
# TLS record types (RFC 8446 section 5.1)
_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _APPLICATION = 20, 21, 22, 23
#: An encrypted alert of TLS 1.3 has 24 bytes with its header; requests and responses have more than this.
_LONGEST_ALERT = 40


def is_error(response: bytes) -> bool:
    """The head of a response whose status makes one ask what happened behind it."""
    return response[9:10] == b"5" or response[9:12] in (b"408", b"413")


def is_alert(data: bytes, start: int, fresh: int) -> bool:
    """A TLS record that carries an alert, by its type or, where that is encrypted, by its length."""
    kind = data[start] if start < len(data) else 0
    return kind == _ALERT or (kind == _APPLICATION and fresh <= _LONGEST_ALERT)


def _request_behind_handshake(payload: bytes) -> bool:
    """The end of the client's handshake, and in the same segment its first request (RFC 8446 figure 1).

    In TLS 1.3 its Finished looks like application data itself, behind a change_cipher_spec.
    """
    kinds = []
    at = 0
    while at + 5 <= len(payload):
        kinds.append(payload[at])
        at += 5 + (payload[at + 3] << 8 | payload[at + 4])
    finished = 1 if kinds[:1] == [_CHANGE_CIPHER] else 0
    return kinds.count(_APPLICATION) > finished


def protocol_of(payload: bytes) -> str:
    if payload.partition(b" ")[0] in _METHODS or payload.startswith(b"PRI * HTTP/2"):
        return "http"
    if payload[:1] == b"\x16" and payload[1:2] == b"\x03":
        return "tls"
    return "?"


def begins_request(conversation: Conversation, payload: bytes, fresh: int) -> bool:
    """New bytes of the client, after an answer or at the beginning, are a request of their own."""
    if conversation.protocol == "http":
        return payload.partition(b" ")[0] in _METHODS or not payload
    if conversation.protocol == "tls" and payload:
        return payload[0] == _APPLICATION or _request_behind_handshake(payload)
    return True

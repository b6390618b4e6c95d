"""TLS by its records: how far the handshake came, alerts, and turns of application data.

What is asked and answered is hidden. A turn of the client counts as a request if its records are long enough
for one, and any application data of the server answers it. Of TLS 1.3 the records behind the hellos all look
like application data: the client's first is its Finished, and the server's first two of one length are
session tickets.
"""

from __future__ import annotations

from econnlab.packets.conversation import Answer, Conversation, Protocol, Unjudged
from econnlab.packets.protocols import hellos
from econnlab.packets.protocols.records import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER,
    HANDSHAKE,
    Record,
    Records,
    looks_like_record,
)

#: An alert of TLS 1.3: two bytes, the type, and the tag (RFC 8446 section 5.2, RFC 6655 for the short tags).
_ALERT_SIZES = frozenset({2 + 1 + 16, 2 + 1 + 8})
#: RFC 8446 section 4.4.4: four bytes and a hash of 32 at least, the type, the tag.
_SHORTEST_FINISHED = 4 + 32 + 1 + 8
#: "GET / HTTP/1.1" with a Host has 27 bytes at least, and the shortest cipher suites add 8 or more.
_SHORTEST_REQUEST = 27 + 8
#: Control frames of HTTP/2 have up to 17 bytes, and two or three may share a record; a first request is
#: longer.
_SHORTEST_REQUEST_H2 = 3 * 17 + 17
_TICKETS = 2
#: A client that sends the parts of one request further apart than this has no turns.
_APART_NS = 1_000_000_000
_LEVELS = {1: "warning", 2: "fatal"}
#: RFC 8446 section 6, and RFC 5246 section 7.2.
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
    22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
    45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
    49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
    113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
    120: "no_application_protocol",
}  # fmt: skip
CERTIFICATE_ALERTS = frozenset({42, 43, 44, 45, 46, 48})


class Half:
    """One direction of the handshake, and what came behind it."""

    __slots__ = ("ciphered", "finished", "goodbye", "hello", "records")

    def __init__(self) -> None:
        self.records = Records()
        self.hello: hellos.Hello | None = None
        #: Its ChangeCipherSpec has come.
        self.ciphered = False
        self.finished = False
        #: Its last record is an alert, as far as can be told.
        self.goodbye = False


class Tls:
    """Both directions."""

    __slots__ = ("client", "first_ticket", "server", "tickets")

    def __init__(self, from_beginning: bool) -> None:
        self.client, self.server = Half(), Half()
        if not from_beginning:
            self.client.finished = self.server.finished = True
            self.client.ciphered = self.server.ciphered = True
        #: Session tickets that came, and the size of the first.
        self.tickets = 0
        self.first_ticket = 0

    @property
    def complete(self) -> bool:
        """Both have sent their Finished."""
        return self.client.finished and self.server.finished

    @property
    def tls13(self) -> bool:
        """The server chose TLS 1.3, or its choice was not captured."""
        return self.server.hello is None or self.server.hello.tls13

    @property
    def may_be_h2(self) -> bool:
        """HTTP/2 was chosen, or was offered and the choice is hidden."""
        server, client = self.server.hello, self.client.hello
        if server is not None and server.alpn:
            return server.alpn[0].startswith("h2")
        if server is not None and not server.tls13:
            return False  # in TLS 1.2 a choice would stand in the clear
        return client is None or any(name.startswith("h2") for name in client.alpn)


def begin(conversation: Conversation) -> None:
    """Read ``conversation`` as TLS from here on."""
    conversation.protocol = Protocol.TLS
    conversation.state = Tls(conversation.from_beginning)
    conversation.client.parse, conversation.server.parse = asked, answered


def looks_like_hello(payload: bytes) -> bool:
    """It begins with a ClientHello."""
    return looks_like_record(payload) and payload[0] == HANDSHAKE and payload[5:6] in (b"", b"\1")


def alert_name(description: int) -> str:
    """``handshake_failure (40)``"""
    return f"{ALERTS[description]} ({description})" if description in ALERTS else str(description)


# -- the client's records -------------------------------------------------------------------------


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> int | None:
    """New bytes of the client."""
    state: Tls = conversation.state
    half, exchange = state.client, conversation.exchange
    before = conversation.exchanges
    for record in half.records.take(size, payload):
        if _asks(conversation, state, record):
            if not conversation.open:
                conversation.ask(at, record.rest)
            elif at - conversation.open[-1].request_last_at > _APART_NS:
                conversation.unsure = Unjudged.HIDDEN  # it speaks again unasked: there are no turns
    if conversation.exchanges != before:
        exchange = conversation.exchange
        if exchange is not None:
            exchange.request_bytes = size
    elif exchange is not None and exchange.answer is Answer.NONE:
        exchange.request_bytes += size
        exchange.request_last_at = at
    return None


def _asks(conversation: Conversation, state: Tls, record: Record) -> bool:
    """A record of the client that is long enough for a request, behind its handshake."""
    half = state.client
    if record.kind == CHANGE_CIPHER:
        half.ciphered, half.finished = True, False  # what follows is its Finished
        return False
    if record.kind == HANDSHAKE:
        if half.ciphered:
            half.finished = True
        elif half.hello is None:
            half.hello = hellos.read(record.body)
            conversation.roles_known = conversation.roles_known or half.hello is not None
        return False
    if record.kind == ALERT:
        _alert(conversation, half, record, by_server=False)
        return False
    half.goodbye = state.tls13 and record.size in _ALERT_SIZES
    if state.tls13 and not half.finished:
        half.finished = record.size >= _SHORTEST_FINISHED
        return False
    if state.may_be_h2:
        return record.size >= _SHORTEST_REQUEST_H2
    # Before TLS 1.3 an alert says in the clear that it is one, so that all else is data.
    return not state.tls13 or (record.size >= _SHORTEST_REQUEST and not half.goodbye)


# -- the server's records -------------------------------------------------------------------------


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> int | None:
    """New bytes of the server."""
    state: Tls = conversation.state
    half = state.server
    inside = half.records.left > 0 and half.records.last[0] == APPLICATION
    answers = (inside and not half.goodbye) or not payload  # bytes that were missed may be the answer
    if not state.client.hello or not state.complete or conversation.exchange is None:
        _plain(conversation, size, payload)
    for record in half.records.take(size, payload):
        if _answers(conversation, state, record):
            answers = True
        elif _are_tickets(state, record):
            answers = False
            _reopen(conversation)
    exchange = conversation.exchange
    if not answers or exchange is None:
        return (conversation.server.data_at or None) if half.goodbye else None
    if not exchange.response_at:
        conversation.answer_begins(exchange, at)
        conversation.finish(exchange, Answer.UNSURE)
    exchange.response_bytes += size
    exchange.response_last_at = at
    return None


def _plain(conversation: Conversation, size: int, payload: bytes) -> None:
    """The beginning of what the server sent in the handshake: it may be no TLS."""
    conversation.unasked_bytes += size
    if len(conversation.unasked) < 16:
        conversation.unasked += payload[:64]


def _answers(conversation: Conversation, state: Tls, record: Record) -> bool:
    """A record of the server that answers the client's last turn."""
    half = state.server
    if record.kind == CHANGE_CIPHER:
        half.ciphered, half.finished = True, False
        return False
    if record.kind == HANDSHAKE:
        if half.ciphered:
            half.finished = True
        elif half.hello is None and record.body[:1] == bytes([hellos.SERVER_HELLO]):
            half.hello = hellos.read(record.body)
        return False
    if record.kind == ALERT:
        _alert(conversation, half, record, by_server=True)
        return False
    half.goodbye = state.tls13 and record.size in _ALERT_SIZES
    if half.goodbye:
        return False
    if state.tls13:
        half.finished = True  # its certificate and Finished are in records of this kind
        if not state.client.finished:
            return False
        state.tickets += 1
        if state.tickets == 1:
            state.first_ticket = record.size
        return not _are_tickets(state, record)
    return True


def _are_tickets(state: Tls, record: Record) -> bool:
    """The second record behind the handshake is as long as the first: both are session tickets."""
    return (
        state.tls13
        and record.kind == APPLICATION
        and state.tickets == _TICKETS
        and (record.size == state.first_ticket)
    )


def _reopen(conversation: Conversation) -> None:
    """What had been taken for the answer to the first request was session tickets."""
    exchange = conversation.exchange
    if exchange is None or exchange.number != 1 or not exchange.response_at:
        return
    exchange.response_at = exchange.response_last_at = exchange.response_bytes = 0
    exchange.answer = Answer.NONE
    conversation.open.insert(0, exchange)
    conversation.finished -= 1


def _alert(conversation: Conversation, half: Half, record: Record, *, by_server: bool) -> None:
    half.goodbye = True
    if record.size == 2 and len(record.body) >= 2:
        level, description = record.body[0], record.body[1]
        if description and conversation.first_end is None:
            text = f"{_LEVELS.get(level, '')} {alert_name(description)}".strip()
            conversation.alert = text, description, by_server

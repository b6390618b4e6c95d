"""PostgreSQL's protocol 3: a query is answered when ReadyForQuery has come.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

from econnlab.packets.conversation import Conversation, Protocol, Unjudged
from econnlab.packets.protocols import tls
from econnlab.packets.protocols.messages import Messages

_VERSION_3, _CANCEL, _SSL, _GSS = 196_608, 80_877_102, 80_877_103, 80_877_104
_QUERIES = frozenset(b"QPBEDCF")
_GOODBYE = ord("X")
_READY, _ERROR = ord("Z"), ord("E")
#: Notices, notifications and changed settings come at any time and answer nothing.
_BESIDE = frozenset(b"NAS")


class Postgres:
    """Both directions."""

    __slots__ = ("client", "error", "goodbye", "ready", "server", "started")

    def __init__(self) -> None:
        self.client = Messages(kind=True, header=5, counts_itself=4)
        self.server = Messages(kind=True, header=5, counts_itself=4)
        self.started = self.goodbye = False
        #: The last ErrorResponse, whose fields say why a connection is ended.
        self.error = b""
        #: The server is ready for a query: none is open.
        self.ready = False


def looks_like_startup(payload: bytes) -> bool:
    """It is a StartupMessage or one of the requests that may come in its place."""
    if len(payload) < 8 or int.from_bytes(payload[:4], "big") < 8:
        return False
    return int.from_bytes(payload[4:8], "big") in (_VERSION_3, _CANCEL, _SSL, _GSS)


def begin(conversation: Conversation) -> None:
    """Read ``conversation`` as PostgreSQL from here on."""
    conversation.protocol = Protocol.POSTGRES
    conversation.state = Postgres()
    conversation.client.parse, conversation.server.parse = asked, answered


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    state: Postgres = conversation.state
    if not state.started:
        if tls.looks_like_hello(payload):
            tls.begin(conversation)
            conversation.client.parse(conversation, at, size, payload)
            return
        code = int.from_bytes(payload[4:8], "big")
        state.started = code not in (_SSL, _GSS)
        state.goodbye = code == _CANCEL
        return
    for message in state.client.take(size, payload):
        if message.kind == _GOODBYE:
            state.goodbye = True
        elif message.kind in _QUERIES and not conversation.open:
            conversation.ask(at, message.rest)
    if conversation.open:
        conversation.open[-1].request_bytes += size
        conversation.open[-1].request_last_at = at
    _unsure(conversation, state.client.lost or state.server.lost)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    state: Postgres = conversation.state
    if not state.started:
        return  # S or N: whether TLS may begin
    for message in state.server.take(size, payload):
        if message.kind == _ERROR:
            state.error = message.body
        if message.kind == _READY:
            state.ready = True
            if conversation.open:
                if not conversation.open[0].response_at:
                    conversation.answer_begins(conversation.open[0], at)
                conversation.finish(conversation.open[0])
        elif conversation.open and not conversation.open[0].response_at and message.kind not in _BESIDE:
            conversation.answer_begins(conversation.open[0], at)
    if conversation.exchange is not None:
        conversation.exchange.response_bytes += size
        conversation.exchange.response_last_at = at
    _unsure(conversation, state.client.lost or state.server.lost)


def _unsure(conversation: Conversation, lost: bool) -> None:
    if lost and conversation.unsure is None:
        conversation.unsure = Unjudged.MISSING if conversation.missing else Unjudged.SHORTENED

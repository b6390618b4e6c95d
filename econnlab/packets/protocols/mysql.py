"""MySQL's protocol: a command is answered by OK, an error, or rows up to their end.

https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
"""

from __future__ import annotations

from econnlab.packets.conversation import Answer, Conversation, Protocol, Unjudged
from econnlab.packets.protocols import tls
from econnlab.packets.protocols.messages import Message, Messages

_GREETING_VERSION, _OK, _ERROR, _INFILE, _END = 10, 0x00, 0xFF, 0xFB, 0xFE
_QUIT, _PREPARE = 0x01, 0x16
#: COM_STMT_SEND_LONG_DATA and COM_STMT_CLOSE are not answered.
_UNANSWERED = frozenset({_QUIT, 0x18, 0x19})
_COMPRESSED, _SSL, _ZSTD, _NO_EOF = 1 << 5, 1 << 11, 1 << 26, 1 << 24
_SHORT_END = 9


class Mysql:
    """Both directions."""

    __slots__ = ("client", "command", "ends", "error", "goodbye", "greeted", "no_eof", "server")

    def __init__(self) -> None:
        self.client = Messages(kind=False, header=4, counts_itself=0)
        self.server = Messages(kind=False, header=4, counts_itself=0)
        self.greeted = False
        self.goodbye = False
        #: Rows end with one packet instead of an EOF behind the columns and one behind the rows.
        self.no_eof = False
        self.command = 0
        self.ends = 0
        #: The number and text of the server's last error packet.
        self.error = (0, "")


def looks_like_greeting(payload: bytes) -> bool:
    """The server's first packet: its greeting, or an error in its place."""
    if len(payload) < 9 or payload[3] or int.from_bytes(payload[:3], "little") != len(payload) - 4:
        return False
    return payload[4] == _ERROR or (payload[4] == _GREETING_VERSION and b"\0" in payload[5:64])


def begin(conversation: Conversation) -> None:
    """Read ``conversation`` as MySQL from here on."""
    conversation.protocol = Protocol.MYSQL
    conversation.state = Mysql()
    conversation.greeting = True
    conversation.client.parse, conversation.server.parse = asked, answered


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    state: Mysql = conversation.state
    if not state.greeted and tls.looks_like_hello(payload):
        tls.begin(conversation)
        conversation.client.parse(conversation, at, size, payload)
        return
    for message in state.client.take(size, payload):
        if not state.greeted and message.kind:
            flags = int.from_bytes(message.body[:4], "little")
            state.no_eof = bool(flags & _NO_EOF)
            if flags & (_COMPRESSED | _ZSTD):
                conversation.unsure = Unjudged.HIDDEN
            state.greeted = not flags & _SSL or len(message.body) > 32
        elif not message.kind and message.body:
            state.greeted = True
            state.goodbye = message.body[0] == _QUIT
            if message.body[0] not in _UNANSWERED:
                state.command, state.ends = message.body[0], 0
                conversation.ask(at, message.rest)
    if conversation.open:
        conversation.open[-1].request_bytes += size
        conversation.open[-1].request_last_at = at
    _unsure(conversation, state)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    state: Mysql = conversation.state
    for message in state.server.take(size, payload):
        if message.body[:1] == bytes([_ERROR]):
            text = message.body[3:].decode("utf-8", "replace")
            state.error = int.from_bytes(message.body[1:3], "little"), text
        exchange = conversation.open[0] if conversation.open else None
        if exchange is None:
            continue
        first = not exchange.response_at
        if first:
            conversation.answer_begins(exchange, at)
        if (answer := _ends(state, message, first)) is not None:
            conversation.finish(exchange, answer)
    if conversation.exchange is not None:
        conversation.exchange.response_bytes += size
        conversation.exchange.response_last_at = at
    _unsure(conversation, state)


def _ends(state: Mysql, message: Message, first: bool) -> Answer | None:
    """What the answer is with this packet; None while it goes on."""
    begin = message.body[0] if message.body else -1
    if begin == _ERROR:
        return Answer.WHOLE
    if first and begin == _OK:
        return Answer.UNSURE if state.command == _PREPARE else Answer.WHOLE
    if first and begin in (_INFILE, _END):
        return Answer.UNSURE
    if begin == _END and (state.no_eof or message.size < _SHORT_END):
        state.ends += 1
        return Answer.WHOLE if state.no_eof or state.ends == 2 else None
    return None


def _unsure(conversation: Conversation, state: Mysql) -> None:
    if (state.client.lost or state.server.lost) and conversation.unsure is None:
        conversation.unsure = Unjudged.MISSING if conversation.missing else Unjudged.SHORTENED

"""Redis: a command is a RESP array or a line, and each has one reply (https://redis.io/docs, RESP)."""

from __future__ import annotations

from collections.abc import Iterator

from econnlab.packets.conversation import Conversation, Protocol, Unjudged

_PORT = 6379
_ARRAY = b"*"
_SIMPLE, _BULK, _MANY, _PAIRS, _PUSH = (
    frozenset(b"+-:_,#("),
    frozenset(b"$=!"),
    frozenset(b"*~>"),
    ord("%"),
    ord(">"),
)
_LONGEST_LINE = 65_536
_LOOKED_AT = 32
#: After these, replies come without commands.
_STREAMING = (b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"MONITOR", b"SYNC", b"PSYNC", b"REPLCONF")


class Values:
    """Counts off the RESP values of one direction."""

    __slots__ = ("begun", "left", "line", "lost", "many", "push")

    def __init__(self) -> None:
        #: Bytes of a bulk string that are to come, with its line end.
        self.left = 0
        self.line = b""
        #: Values that each open array still holds.
        self.many: list[int] = []
        self.lost = False
        self.push = False
        #: A value at the top has begun and not ended.
        self.begun = False

    @property
    def inside(self) -> bool:
        """The value at hand is not whole."""
        return not self.lost and (self.begun or bool(self.line))

    def take(self, size: int, payload: bytes) -> Iterator[tuple[bool, int]]:
        """For each value at the top: that it begins (True) or ends (False), and the bytes from there on."""
        at = 0
        while at < size and not self.lost:
            if self.left:
                took = min(self.left, size - at)
                self.left, at = self.left - took, at + took
                if self.left:
                    return
            else:
                if not self.begun:
                    self.begun = True
                    yield True, size - at
                end = payload.find(b"\n", at)
                if end < 0:
                    self.line += payload[at:]
                    self.lost = len(payload) < size or len(self.line) > _LONGEST_LINE
                    return
                line, self.line, at = self.line + payload[at:end], b"", end + 1
                if not self._opens(line.rstrip(b"\r")):
                    continue
            if self._closes():
                self.begun = False
                if not self.push:
                    yield False, size - at
                self.push = False

    def _opens(self, line: bytes) -> bool:
        """Read the line that begins a value; True if the value ends with it."""
        kind = line[0] if line else 0
        if kind in _SIMPLE or kind not in _BULK | _MANY | {_PAIRS}:
            return True  # a simple value, or a command on a line
        try:
            count = int(line[1:])
        except ValueError:
            return True
        if kind in _BULK:
            self.left = count + 2 if count >= 0 else 0
            return count < 0
        if kind == _PUSH and not self.many:
            self.push = True
        count = count * 2 if kind == _PAIRS else count
        if count > 0:
            self.many.append(count)
        return count <= 0

    def _closes(self) -> bool:
        """A value has ended; True if with it the one at the top has."""
        while self.many:
            self.many[-1] -= 1
            if self.many[-1] > 0:
                return False
            self.many.pop()
        return True


class Redis:
    """Both directions."""

    __slots__ = ("client", "server")

    def __init__(self) -> None:
        self.client, self.server = Values(), Values()


def looks_like_command(conversation: Conversation, payload: bytes) -> bool:
    """It begins with an array of strings, or it is a line for Redis' own port."""
    if payload.startswith(_ARRAY):
        count, line_end, rest = payload[1:].partition(b"\r\n")
        return bool(line_end) and count.isdigit() and rest[:1] in (b"$", b"")
    return int.from_bytes(conversation.server.address[-2:], "big") == _PORT and payload[:1].isalpha()


def begin(conversation: Conversation) -> None:
    """Read ``conversation`` as Redis from here on."""
    conversation.protocol = Protocol.REDIS
    conversation.state = Redis()
    conversation.client.parse, conversation.server.parse = asked, answered


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client."""
    state: Redis = conversation.state
    for begins, rest in state.client.take(size, payload):
        if begins:
            exchange = conversation.ask(at, rest)
            exchange.request = payload[size - rest : size - rest + _LOOKED_AT]
            words = exchange.request.upper().replace(b"\r\n", b" ").split()
            if any(word in _STREAMING for word in words[:3]):
                conversation.unsure = Unjudged.NOT_READ
    if conversation.open:
        last = conversation.open[-1]
        last.request_bytes += size
        last.request_last_at = at
    _unsure(conversation, state)


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    state: Redis = conversation.state
    for begins, _ in state.server.take(size, payload):
        if conversation.open:
            exchange = conversation.open[0]
            if begins and not state.server.push:
                conversation.answer_begins(exchange, at)
            elif not begins:
                conversation.finish(exchange)
    if conversation.exchange is not None:
        conversation.exchange.response_bytes += size
        conversation.exchange.response_last_at = at
    _unsure(conversation, state)


def _unsure(conversation: Conversation, state: Redis) -> None:
    if (state.client.lost or state.server.lost) and conversation.unsure is None:
        conversation.unsure = Unjudged.MISSING if conversation.missing else Unjudged.SHORTENED

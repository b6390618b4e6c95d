"""One TCP connection as its packets tell it: both sides, the exchanges on it, and how it ended.

Times are nanoseconds since the epoch, and None (or 0 for a count) is what was never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

#: As much of the beginning of a request or response is kept as its head may have.
LONGEST_HEAD = 4096
#: Failed exchanges of one connection that are told apart, and requests of it that may wait for an answer.
MOST_ERRORS = MOST_OPEN = 1000
#: Bytes that were sent again so often without an acknowledgment did not arrive.
IN_VAIN = 3
_WRAP, _FORWARD = 0xFFFFFFFF, 0x80000000


class Mark(NamedTuple):
    """A packet that ended something: a FIN or an RST."""

    at: int
    #: Of its last byte, the FIN not counted.
    seq: int
    ack: int
    #: An RST carries ACK if a process (or its end) sent it, and none if a kernel answered a packet that
    #: belongs to no connection: tcp_send_active_reset(), tcp_v4_send_reset().
    has_ack: bool
    ttl: int
    ident: int
    is_fin: bool


class Answer(IntEnum):
    """What is known of the answer to a request."""

    #: Not a byte of it came.
    NONE = 0
    #: It began, and by its own framing it is not whole.
    BEGUN = 1
    #: It is whole, by its own framing.
    WHOLE = 2
    #: It began; the packets do not tell whether it is whole.
    UNSURE = 3


class Unjudged(StrEnum):
    """Why nothing is said of the requests of a connection."""

    ONE_WAY = "only one direction was captured"
    MISSING = "bytes that would decide are missing from the capture"
    SHORTENED = "packets were captured in part, and what is cut off would decide"
    NOT_READ = "the protocol is not read"
    HIDDEN = "the protocol is hidden and has no turns that can be told apart"
    ROLES = "older than the capture, and which side is the client cannot be told"
    OLDER = "older than the capture, and nothing was asked in it"


class Protocol(StrEnum):
    """What a connection speaks, as far as it is read."""

    NONE = ""
    HTTP = "HTTP/1"
    HTTP2 = "HTTP/2"
    TLS = "TLS"
    WEBSOCKET = "WebSocket"
    POSTGRES = "Postgres"
    MYSQL = "MySQL"
    REDIS = "Redis"
    #: Not read: only its TCP is looked at.
    OTHER = "other"


#: Takes in new bytes of a side: see protocols/. Returns when the side had last spoken, if these bytes were
#: only a goodbye.
Parse = Callable[["Conversation", int, int, bytes], "int | None"]

#: Protocols whose requests and answers are told apart.
READ = frozenset(
    {Protocol.HTTP, Protocol.HTTP2, Protocol.TLS, Protocol.POSTGRES, Protocol.MYSQL, Protocol.REDIS}
)


class Side:
    """What one side has sent."""

    __slots__ = (
        "ack", "address", "data_at", "fin", "fin_acked", "ident", "isn", "missing", "next", "packets",
        "parse", "probed_at", "resent", "resent_at", "resent_seq", "rst", "rsts", "step", "ttl",
    )  # fmt: skip

    def __init__(self, address: bytes, parse: Parse) -> None:
        self.address = address
        #: Takes in new bytes of this side, in order: when, how many, and as much of them as was captured.
        self.parse = parse
        #: The sequence number of its SYN.
        self.isn: int | None = None
        #: The sequence number behind the last byte seen, SYN and FIN counted.
        self.next: int | None = None
        #: The highest acknowledgment number that it sent.
        self.ack: int | None = None
        #: When it last sent new bytes.
        self.data_at = 0
        #: Packets that begin or end the connection, or do not follow on the last; most others are left out.
        self.packets = 0
        #: New bytes that the capture lacks.
        self.missing = 0
        #: Of its last packet other than an RST.
        self.ttl = 0
        self.ident = 0
        #: The longest step between two identifications in a row.
        self.step = 0
        self.fin: Mark | None = None
        self.rst: Mark | None = None
        self.rsts = 0
        #: The other side acknowledged a FIN of this one; the FIN itself may be missing.
        self.fin_acked = False
        #: How often it sent the bytes up to ``resent_seq`` again, and when last.
        self.resent = 0
        self.resent_seq = 0
        self.resent_at = 0
        #: When it last sent a keep-alive probe.
        self.probed_at = 0

    @property
    def sent(self) -> bool:
        """It sent bytes, captured or not."""
        return bool(self.data_at)

    @property
    def in_vain(self) -> bool:
        """Its last bytes were sent again and again, which it would not do had it got an acknowledgment."""
        return self.resent >= IN_VAIN and self.resent_seq == self.next

    @property
    def ended(self) -> Mark | None:
        """Its first FIN or RST."""
        if self.fin is None or self.rst is None:
            return self.fin or self.rst
        return min(self.fin, self.rst)


class Exchange:
    """A request and its response.

    What most exchanges never set stands in the class: hundreds of thousands are made, and few are kept.
    """

    #: The first bytes of the request, its head at most.
    request: bytes = b""
    request_bytes: int = 0
    #: The capture lacks bytes of the request, so that its length is not known.
    hidden: bool = False
    response_at: int = 0
    #: Bytes of the request that had been sent when the response began.
    asked_then: int = 0
    response_last_at: int = 0
    #: The server's sequence number behind the first packet of the response.
    heard_seq: int = 0
    #: The first bytes of the response, its head at most.
    response: bytes = b""
    response_bytes: int = 0
    answer: Answer = Answer.NONE
    #: Bytes that the response should have, head and body, if its head says so.
    expected: int | None = None
    #: The status of the response, if it has one.
    status: int = 0
    #: What the protocol says of its end: ``RST_STREAM by the server: CANCEL (8)``.
    note: str = ""

    def __init__(self, number: int, at: int, begin: int, before: int) -> None:
        #: 1 for the first of the connection, as far as it was captured.
        self.number = number
        self.request_at = at
        self.request_last_at = at
        #: Sequence number of its first byte.
        self.begin = begin
        #: When the server had last sent before it; 0 if it had not.
        self.before = before

    @property
    def end(self) -> int:
        """The sequence number behind its last byte that was sent."""
        return (self.begin + self.request_bytes) & _WRAP

    @property
    def is_error(self) -> bool:
        """Its response has a status that makes one ask what happened behind it."""
        return 500 <= self.status < 600 or self.status in (408, 413)


class Bygone(NamedTuple):
    """What is kept of a connection that went well and is over."""

    client: bytes
    server: bytes
    began: int
    ended: int
    #: The server ended it first.
    by_server: bool
    #: From the server's last byte to the end, ns; -1 if it never answered.
    idle: int
    exchanges: int
    #: Its requests are read, in the clear or by TLS records.
    is_read: bool
    longest_idle: int
    #: From the last request to the beginning of its response, ns; -1 if there was none.
    took: int
    #: Hashes of ``request_name`` of its first and its last request.
    first_name: int
    last_name: int
    #: Its last response had said that the connection would be closed.
    announced: bool
    protocol: Protocol
    #: What the protocol is called, if it is not read.
    name: str
    unjudged: Unjudged | None


class Conversation:
    """One connection. ``client`` is who sent the SYN; if none was seen, who seems to have."""

    __slots__ = (
        "alert", "began", "calm", "client", "confirmed", "doubled", "early", "ended", "errors", "exchange",
        "exchanges", "finished", "first", "greeting", "http_before", "icmp", "last", "longest_idle", "name",
        "number", "open", "previous", "protocol", "received_then", "roles_known", "server", "state",
        "stranger", "syn_at", "synack_again", "synack_at", "syns", "unasked", "unasked_bytes", "unsure",
    )  # fmt: skip

    def __init__(self, number: int, client: Side, server: Side, at: int) -> None:
        self.number = number
        self.client = client
        self.server = server
        self.began = at
        self.last = at
        #: The handshake is over and no packet waits for an earlier one.
        self.calm = False
        #: Packets that came before others which they follow; None if there are none.
        self.early: list[Any] | None = None
        self.syn_at = 0
        self.syns = 0
        self.synack_at = 0
        #: SYN-ACKs sent again although the client had confirmed the first.
        self.synack_again = 0
        #: When the client's side of the handshake was complete.
        self.confirmed = 0
        self.protocol = Protocol.NONE
        #: What the protocol is called, if it is not read: ``SMTP``.
        self.name = ""
        #: What the reader of the protocol remembers.
        self.state: Any = None
        #: Requests without a whole answer, in order.
        self.open: list[Exchange] = []
        #: The first of these, or else the last that was answered; and the one before it.
        self.exchange: Exchange | None = None
        self.previous: Exchange | None = None
        self.exchanges = 0
        #: Requests that were answered, as far as is known.
        self.finished = 0
        #: The first one of the connection.
        self.first: Exchange | None = None
        #: Exchanges that were answered with an error, or reset, while the connection went on.
        self.errors: list[Exchange] = []
        #: What the server sent before it was asked, or in a TLS handshake.
        self.unasked = b""
        self.unasked_bytes = 0
        #: The server speaks first in this protocol, as it did here.
        self.greeting = False
        #: Requests of HTTP/1 before it went over to another protocol.
        self.http_before = 0
        #: Why its requests and answers could not be told apart; None if they could.
        self.unsure: Unjudged | None = None
        #: A TLS alert in the clear: ``fatal handshake_failure (40)``, and who sent it.
        self.alert: tuple[str, int, bool] | None = None
        #: The longest pause before a request that was answered, ns.
        self.longest_idle = 0
        #: When it was over: an RST, or the second FIN.
        self.ended = 0
        #: Bytes of the answer that had come when the client ended the connection first.
        self.received_then = 0
        #: It is known who is the client: by the SYN, by other connections, or by what was said.
        self.roles_known = True
        #: Packets seen twice.
        self.doubled = 0
        #: ICMP errors about it: what was said, by whom, the MTU, when, and how many.
        self.icmp: dict[str, tuple[bytes, int, int, int]] | None = None
        #: An address and port from which the client got a packet of this connection, and answered it with
        #: RST.
        self.stranger = b""

    # -- what its packets were ----------------------------------------------------------------------

    @property
    def first_end(self) -> tuple[Side, Mark] | None:
        """Who ended it first, and with which packet; None while it stands."""
        mine, its = self.client.ended, self.server.ended
        if mine is None or its is None:
            return (
                (self.client, mine) if mine is not None else (self.server, its) if its is not None else None
            )
        return (self.client, mine) if mine.at <= its.at else (self.server, its)

    @property
    def from_beginning(self) -> bool:
        """The capture has it from its SYN or SYN-ACK on."""
        return bool(self.syn_at or self.synack_at)

    @property
    def one_way(self) -> bool:
        """Only one side was captured, and the other cannot have been silent."""
        client, server = self.client, self.server
        if client.packets and server.packets:
            return False
        if client.in_vain or server.in_vain:
            return False
        return not client.packets or client.packets > self.syns + client.rsts

    @property
    def missing(self) -> bool:
        """The capture lacks bytes of it."""
        return bool(self.client.missing or self.server.missing)

    @property
    def is_read(self) -> bool:
        """Its requests and answers are told apart."""
        return self.protocol in READ and not self.unsure

    @property
    def requests(self) -> int:
        """Requests that it carried; 0 if its protocol is not read."""
        return self.exchanges if self.protocol in READ else self.http_before

    @property
    def answered(self) -> bool:
        """The request at hand got the beginning of a response, and the client was still there for it.

        One that had closed answers it with RST; one that had only ended its own direction does not.
        """
        exchange, fin = self.exchange, self.client.fin
        if exchange is None or not exchange.response_at:
            return False
        if fin is None or self.client.rst is None or exchange.response_at < fin.at:
            return True
        return (fin.ack - exchange.heard_seq) & _WRAP < _FORWARD  # its FIN acknowledges the response

    # -- what its protocol's reader says -----------------------------------------------------------

    def ask(self, at: int, rest: int) -> Exchange:
        """A new request, of which the last ``rest`` bytes that the client sent are the first."""
        last, number = self.exchange, self.exchanges + 1
        self.exchanges = number
        before = self.server.data_at if last is not None or self.greeting else 0
        exchange = Exchange(number, at, ((self.client.next or 0) - rest) & _WRAP, before)
        if last is None:
            self.first = exchange
        if not self.open:
            self.previous, self.exchange = last, exchange
        if len(self.open) < MOST_OPEN:
            self.open.append(exchange)
        return exchange

    def answer_begins(self, exchange: Exchange, at: int) -> None:
        """The first byte of an answer to ``exchange``."""
        exchange.response_at = exchange.response_last_at = at
        exchange.heard_seq = self.server.next or 0
        exchange.asked_then = exchange.request_bytes
        exchange.answer = Answer.BEGUN
        if exchange.before and exchange.request_at - exchange.before > self.longest_idle:
            self.longest_idle = exchange.request_at - exchange.before

    def finish(self, exchange: Exchange, answer: Answer = Answer.WHOLE) -> None:
        """``exchange`` has its answer; the next open one is at hand."""
        exchange.answer = answer
        self.finished += 1
        if exchange.status >= 400 and exchange.is_error and len(self.errors) < MOST_ERRORS:
            self.errors.append(exchange)
        waiting = self.open
        if waiting and waiting[0] is exchange:
            del waiting[0]
        elif exchange in waiting:
            waiting.remove(exchange)
        if waiting and exchange is self.exchange:
            self.previous, self.exchange = exchange, waiting[0]

    def fail(self, exchange: Exchange, note: str) -> None:
        """``exchange`` is over without its answer, and the connection goes on."""
        exchange.note = note
        if exchange in self.open:
            self.open.remove(exchange)
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(exchange)
        if self.open and exchange is self.exchange:
            self.previous, self.exchange = exchange, self.open[0]

"""One TCP connection as its packets tell it: both sides, the exchanges on it, and how it ended.

Times are nanoseconds since the epoch, and None (or 0 for a count) is what was never seen.
"""

from __future__ import annotations

from typing import NamedTuple

#: As much of the beginning of a request or response is kept as its head may have.
LONGEST_HEAD = 4096


class Mark(NamedTuple):
    """A packet that ended something: a FIN or an RST."""

    at: int
    #: Of its last byte, the FIN not counted.
    seq: int
    ack: int
    #: An RST carries ACK where a process (or its end) sent it, and none where a kernel answered a packet
    #: that belongs to no connection: tcp_send_active_reset(), tcp_v4_send_reset().
    has_ack: bool
    ttl: int
    ident: int
    is_fin: bool


class Side:
    """What one side has sent."""

    __slots__ = (
        "ack",
        "address",
        "data_at",
        "fin",
        "ident",
        "isn",
        "packets",
        "rst",
        "rsts",
        "sent",
        "seq",
        "step",
        "ttl",
    )  # fmt: skip

    def __init__(self, address: bytes) -> None:
        self.address = address
        #: The sequence number of its SYN.
        self.isn: int | None = None
        #: What comes next: behind the last byte seen, SYN and FIN counted.
        self.seq: int | None = None
        self.ack: int | None = None
        #: When it last sent new bytes.
        self.data_at = 0
        self.packets = 0
        #: New bytes.
        self.sent = 0
        #: Of its last packet other than an RST.
        self.ttl = 0
        self.ident = 0
        #: The longest step between two identifications in a row: how far a number may be off and still fit.
        self.step = 0
        self.fin: Mark | None = None
        self.rst: Mark | None = None
        self.rsts = 0

    @property
    def ended(self) -> Mark | None:
        """Its first FIN or RST."""
        if self.fin is None or self.rst is None:
            return self.fin or self.rst
        return min(self.fin, self.rst)


class Exchange:
    """A request and its response; without HTTP in the clear, what was sent between two turns."""

    __slots__ = (
        "asked_then", "before", "begin", "end", "number", "request", "request_at", "request_bytes",
        "request_last_at", "resent", "response", "response_at", "response_bytes", "response_last_at", "tail",
    )  # fmt: skip

    def __init__(self, number: int, at: int, begin: int, before: int) -> None:
        #: 1 for the first of the connection, as far as it was captured.
        self.number = number
        self.request_at = at
        self.request_last_at = at
        #: Sequence numbers of its first byte and behind its last one.
        self.begin = begin
        self.end = begin
        #: When the server had last sent before it; 0 where it had not.
        self.before = before
        self.request = b""
        self.request_bytes = 0
        #: Packets of the request that were sent again.
        self.resent = 0
        self.response_at = 0
        #: Bytes of the request that had been sent when the response began.
        self.asked_then = 0
        self.response_last_at = 0
        self.response = b""
        self.response_bytes = 0
        #: The last bytes seen, where a chunked body would say that it is whole.
        self.tail = b""


class Bygone(NamedTuple):
    """What is kept of a connection that went well and is over."""

    client: bytes
    server: bytes
    began: int
    ended: int
    #: The server ended it first.
    by_server: bool
    #: From the server's last byte to the end, ns; -1 where it never answered.
    idle: int
    exchanges: int
    #: It spoke HTTP, in the clear or under TLS.
    http: bool
    longest_idle: int
    #: From the last request to the beginning of its response, ns; -1 where there was none.
    took: int
    #: Hashes of ``request_name`` of its first and its last request.
    first_name: int
    last_name: int


class Conversation:
    """One connection. ``client`` is who sent the SYN; where none was seen, who seems to have."""

    __slots__ = (
        "began", "client", "confirmed", "ended", "errors", "exchange", "exchanges", "first_name", "last",
        "longest_idle", "number", "previous", "protocol", "server", "syn_at", "synack_again", "synack_at",
        "syns", "unasked", "unasked_bytes",
    )  # fmt: skip

    def __init__(self, number: int, client: bytes, server: bytes, at: int) -> None:
        self.number = number
        self.client = Side(client)
        self.server = Side(server)
        self.began = at
        self.last = at
        self.syn_at = 0
        self.syns = 0
        self.synack_at = 0
        #: SYN-ACKs sent again although the client had confirmed the first.
        self.synack_again = 0
        #: When the client's side of the handshake was complete.
        self.confirmed = 0
        #: ``http``, ``tls``, ``?`` for another, empty before the client has sent anything.
        self.protocol = ""
        #: The one at hand, or the last.
        self.exchange: Exchange | None = None
        #: The one before it.
        self.previous: Exchange | None = None
        self.exchanges = 0
        #: The hash of the first one's ``request_name``, once there is a second.
        self.first_name = 0
        #: Earlier exchanges that were answered with a status worth asking about.
        self.errors: list[Exchange] = []
        #: What the server sent before it was asked, or in a TLS handshake.
        self.unasked = b""
        self.unasked_bytes = 0
        #: The longest pause before a request, ns, the last one left out.
        self.longest_idle = 0
        #: When it was over: an RST, or the second FIN.
        self.ended = 0

    @property
    def first_end(self) -> tuple[Side, Mark] | None:
        """Who ended it first, and with which packet; None while it stands."""
        ends = [(side, mark) for side in (self.client, self.server) if (mark := side.ended) is not None]
        return min(ends, key=lambda end: end[1].at, default=None)

    @property
    def answered(self) -> bool:
        """The last request got the beginning of a response, and the client was still there for it.

        One that had closed answers it with RST; one that had only ended its own direction does not.
        """
        exchange, fin = self.exchange, self.client.fin
        if exchange is None or not exchange.response_at:
            return False
        return fin is None or self.client.rst is None or exchange.response_at < fin.at

    @property
    def one_way(self) -> bool:
        """Only one side was captured, and the other cannot have been silent."""
        client, server = self.client.packets, self.server.packets
        return not client or (not server and client > self.syns + self.client.rsts)

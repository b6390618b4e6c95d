"""Connection events: what the server, the link and the lab saw, all on one clock."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """Whose ledger an event stands in."""

    SERVER = "server"
    LINK = "link"
    LAB = "lab"
    CAPTURE = "capture"


class Kind(StrEnum):
    """What happened. The comment names the ledger, then the fields that are filled."""

    LISTENING = "listening"  # server, link: local; capture: local, the address that clients go to
    ACCEPTED = "accepted"  # server, link: peer; a link that stands alone: plan, what is meant for it
    HANDSHAKE = "handshake"  # server: TLS stands
    REQUEST = (
        "request"  # server: request_id, method, target, began (its first bytes were read), bytes and digest
    )
    PROCESSED = "processed"  # server: request_id; it has been carried out
    REPLAYED = "replayed"  # server: request_id; its Idempotency-Key had been carried out, it is answered only
    RESPONSE = "response"  # server: request_id, status, bytes; at is when the last byte was handed over
    PARTIAL = "partial"  # server: request_id, status, bytes (of a response that was cut off after them)
    IDLE_TIMEOUT = "idle_timeout"  # server: due, idle_s
    FAULT = "fault"  # server: reason is the stage, how the ending; what the scenario plans has struck
    DROPPED = "dropped"  # server: over capacity; reason is the manner
    ACCEPT_PAUSED = "accept_paused"  # server, link: new connections wait in the kernel's queue; reason
    ACCEPT_RESUMED = "accept_resumed"  # server, link alone
    RETIRING = "retiring"  # server: reason is the manner; another process has taken its place
    BUSY = "busy"  # server: the loop was blocked from began to at
    CONNECTED = "connected"  # link: local, the address the server sees
    CONNECT_FAILED = "connect_failed"  # link: errno
    BYTES = "bytes"  # link: side (who sent), bytes, request_id, began (they came), due, at (passed on)
    SYN = "syn"  # wire: side, began, at; the server's is a SYN-ACK
    FIN = "fin"  # link: as bytes
    RST = "rst"  # link: as bytes
    UNDELIVERED = "undelivered"  # link: side, bytes, began: the far end was gone
    CLOSED = "closed"  # server: reason, how, unread; link: nothing more, or to_server and to_client
    RESET = "reset"  # link alone: reason; it has itself reset both ends
    CHANGED = "changed"  # link alone: plan, what it does from now on
    PAUSED = "paused"  # link alone: it holds the bytes, of all connections if none is named
    RESUMED = "resumed"  # link alone
    COUNTED = "counted"  # link alone, when asked: to_server, to_client up to now, how (its state), idle_s
    EXPIRED = "expired"  # link: idle_s; the middlebox has forgotten the connection
    DISCARDED = "discarded"  # link: side, bytes, reason; a packet of a forgotten connection, answered or not
    STOPPED = "stopped"  # server, link: it ended because it was told to
    DIED = "died"  # lab: reason (which process), how (the signal's name); it ended by itself
    FROZEN = "frozen"  # lab: the client's process was stopped from began to at
    CAPTURED = (
        "captured"  # capture: packets, dropped, errno (of a write that failed: nothing after it was kept)
    )
    SYNC = "sync"  # server, link: everything before this line is in the ledger


class CloseReason(StrEnum):
    """Why the server closed a connection: ``reason`` of its CLOSED event, which adds a detail to some."""

    IDLE_TIMEOUT = "idle_timeout"
    HEADER_TIMEOUT = "header_timeout"
    CONNECTION_CLOSE = "connection_close"  # as the client or the server had announced
    MAX_REQUESTS = "max_requests"
    OVER_CAPACITY = "over_capacity"
    EARLY_RESPONSE = "early_response"  # answered before the request was read
    ABORTED = "aborted"  # the application ended it: what the scenario plans has struck
    RETIRED = "retired"  # another process has taken the server's place
    BAD_REQUEST = "bad_request"
    TLS_FAILED = "tls_failed"  # in the handshake; the detail is OpenSSL's reason
    CLIENT_CLOSED = "client_closed"
    CLIENT_RESET = "client_reset"  # the detail is the errno in words
    SHUTDOWN = "shutdown"  # the run is over

    @property
    def by_client(self) -> bool:
        """The client had ended the connection before."""
        return self in (CloseReason.CLIENT_CLOSED, CloseReason.CLIENT_RESET)


class Party(StrEnum):
    """Who sent a packet: the ``side`` of an event."""

    CLIENT = "client"
    SERVER = "server"
    MIDDLEBOX = "middlebox"


_DETAIL = ": "


@dataclass(frozen=True, slots=True)
class ConnectionEvent:
    """One line of a ledger. ``at`` and ``began`` are seconds on the monotonic clock."""

    at: float
    source: str
    kind: str
    connection: int | None = None
    peer: str | None = None
    local: str | None = None
    side: str | None = None
    reason: str | None = None
    how: str | None = None
    errno: str | None = None
    request_id: str | None = None
    method: str | None = None
    status: int | None = None
    bytes: int | None = None
    unread: int | None = None
    began: float | None = None
    due: float | None = None
    idle_s: float | None = None
    packets: int | None = None
    dropped: int | None = None
    #: The target in the request's first line.
    target: str | None = None
    #: A hash of the request's body, if it had one.
    digest: str | None = None
    #: Bytes that the kernel has taken in each direction.
    to_server: int | None = None
    to_client: int | None = None
    plan: dict[str, Any] | None = None
    #: The request's id is its Idempotency-Key.
    keyed: bool | None = None

    @property
    def close_reason(self) -> CloseReason | None:
        """``reason`` without its detail; None for one that this version does not know."""
        word = (self.reason or "").partition(_DETAIL)[0]
        return CloseReason(word) if word in _CLOSE_REASONS else None

    @property
    def detail(self) -> str:
        """What stands behind the close reason: an errno in words, OpenSSL's reason."""
        return (self.reason or "").partition(_DETAIL)[2]

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> ConnectionEvent:
        """The event in a decoded JSON line; unknown keys, of a later version, are left out."""
        return cls(**{key: value for key, value in line.items() if key in _FIELDS})


def close_reason(reason: CloseReason, detail: str | None = None) -> str:
    """``client_reset: Connection reset by peer``, as the ledger holds it."""
    return f"{reason}{_DETAIL}{detail}" if detail else reason.value


_CLOSE_REASONS = frozenset(CloseReason)
_FIELDS = frozenset(field.name for field in fields(ConnectionEvent))

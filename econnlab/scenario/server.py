"""The lab server of a scenario, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from econnlab.errors import UsageProblem
from econnlab.scenario.bounds import at_least

#: Carried out twice, requests of these methods do what they do once (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


class Stage(StrEnum):
    """How far a request has come, on the server."""

    HANDSHAKE = "handshake"  # of TLS: the client's first bytes have been read
    UNREAD = "unread"  # in the kernel's buffer
    READ = "read"  # read whole, not carried out
    PROCESSED = "processed"  # carried out, nothing answered
    HALF_HEAD = "half_head"  # half of the response's head handed to the kernel
    HALF_BODY = "half_body"  # its head and half of its body
    ANSWERED = "answered"


class Ending(StrEnum):
    """What ends a connection."""

    FIN = "fin"  # close(2) as it comes
    RST = "rst"  # SO_LINGER 0, then close(2)
    KILL = "kill"  # SIGKILL: the kernel closes what the process had open
    NOTHING = "nothing"  # it stays open, and nothing more is read from it or said on it


class CloseWith(StrEnum):
    """How the server closes a connection."""

    FIN = "fin"  # close(2) as it comes
    RST = "rst"  # SO_LINGER 0, then close(2)


@dataclass(frozen=True)
class Fault:
    """The server ends a connection, or itself, ``after_ms`` after a request has come to the stage ``at``."""

    at: Stage
    by: Ending = Ending.FIN
    #: It strikes at each connection's request of this number, and at those after it.
    request: int = 1
    after_ms: Decimal = Decimal(0)
    #: It strikes so many times on the whole server, and then no more: a retry can succeed. None: always.
    times: int | None = None
    #: It strikes only requests whose method is not idempotent, as POST and PATCH.
    writes: bool = False

    def __post_init__(self) -> None:
        at_least(1, request=self.request, times=self.times)
        if self.writes and self.at in (Stage.HANDSHAKE, Stage.UNREAD, Stage.ANSWERED):
            raise UsageProblem(
                f"writes: at the stage {self.at.value} there is no request whose method is known.",
                "Take a stage from read to half_body.",
            )


class Retirement(StrEnum):
    """How a server leaves when the next one has taken its place."""

    GRACEFUL = "graceful"  # idle connections are closed at once, requests in progress are answered first
    DRAIN = "drain"  # the next answer on each connection says Connection: close; idle ones get time for that
    ABRUPT = "abrupt"  # every connection is closed at once


@dataclass(frozen=True)
class Restart:
    """A new server process takes over the port; the old one retires."""

    after_ms: Decimal
    manner: Retirement = Retirement.GRACEFUL
    #: How long idle connections are kept with ``drain``.
    drain_ms: Decimal = Decimal(1000)


@dataclass(frozen=True)
class ServerSpec:
    """The lab server and how it behaves. Durations in milliseconds."""

    keepalive_timeout_ms: Decimal = Decimal(5000)
    #: Send ``Keep-Alive: timeout=N`` (N in whole seconds, as Node does).
    advertise: bool = True
    #: Added to the real timeout and not advertised (Node >= 20 adds 1000 ms, node PR #54863).
    keepalive_buffer_ms: Decimal = Decimal(0)
    max_connections: int | None = None
    #: What happens to a connection above the limit: the name of a file in server/when_full/.
    when_full: str = "close"
    #: So many connections, the first ones, are treated as if they were above the limit.
    refuse_first: int = 0
    close_with: CloseWith = CloseWith.FIN
    #: The event loop is blocked for ``busy_for_ms`` every ``busy_every_ms``, start to start.
    busy_for_ms: Decimal = Decimal(0)
    busy_every_ms: Decimal = Decimal(0)
    response_delay_ms: Decimal = Decimal(0)
    #: Bytes of the response body.
    response_size: int = 3
    #: The body itself, in place of so many bytes of text; and what it is said to be.
    response_body: str | None = None
    content_type: str = "text/plain"
    #: Send the body in chunks, without Content-Length.
    chunked: bool = False
    #: What requests are answered with. From 400 on they are not carried out.
    status: int = 200
    #: So many of the server's first requests get that status, and those after them 200; None: all of them.
    status_requests: int | None = None
    #: Said with it in ``Retry-After``, in whole seconds rounded up.
    retry_after_ms: Decimal | None = None
    #: A connection is closed after this many requests; ``announce_last`` says so in the last response.
    max_requests: int | None = None
    announce_last: bool = True
    #: A request body above this many bytes is answered with 413 as soon as that is known.
    max_body: int | None = None
    #: After such an answer read what still comes, before close(2), as nginx does (RFC 9112 section 9.6).
    lingering_close: bool = True
    #: From the connection's beginning, or a later request's first byte, to the end of the request's head.
    header_timeout_ms: Decimal | None = None
    #: Answer 408 when it has passed, before closing.
    answer_408: bool = True
    #: Listen at once, accept this long after the first connection came, as an application that still starts.
    accept_after_ms: Decimal = Decimal(0)
    #: listen(2)'s; the kernel cuts it down to net.core.somaxconn.
    backlog: int = 4096
    #: False: the port is bound and nobody listens on it.
    listens: bool = True
    #: Answer a request whose ``Idempotency-Key`` was carried out before without carrying it out again.
    idempotency_keys: bool = False
    fault: Fault | None = None
    restart: Restart | None = None
    #: Speak TLS, with a certificate made for the run.
    tls: bool = False
    #: End TLS with a close_notify alert before closing (RFC 8446 section 6.1).
    close_notify: bool = True
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        if not self.host:
            raise UsageProblem("There is no address to listen on.", "Give one as 127.0.0.1 or 0.0.0.0.")
        if not (
            self.content_type.isascii() and self.content_type.isprintable() and self.content_type.strip()
        ):
            raise UsageProblem(
                f"content_type: {self.content_type!r} is none.", "Write it as application/json."
            )
        at_least(0, response_size=self.response_size, max_body=self.max_body, port=self.port)
        at_least(0, refuse_first=self.refuse_first)
        at_least(
            1, max_requests=self.max_requests, backlog=self.backlog, status_requests=self.status_requests
        )
        if self.status != 200 and not 400 <= self.status <= 599:
            raise UsageProblem(f"status: expected 200, or an error from 400 to 599, found {self.status}.")
        if self.max_connections is not None and self.max_connections < 1:
            raise UsageProblem("A server that allows no connection cannot be asked.", "Allow at least 1.")
        if self.refuse_first and self.when_full == "queue":
            raise UsageProblem(
                "refuse_first: a connection that waits in the queue is never refused.",
                "Take another when_full: close, reset or 503.",
            )
        if self.busy_for_ms and self.busy_for_ms >= self.busy_every_ms:
            raise UsageProblem(
                f"A server blocked for {self.busy_for_ms} ms every {self.busy_every_ms} ms never answers.",
                "Block it for less than the time from one block to the next.",
            )
        if self.fault is not None and self.fault.at is Stage.HANDSHAKE and not self.tls:
            raise UsageProblem(
                "fault.at: without TLS there is no handshake to fail in.", "Say tls = true as well."
            )
        if self.restart is not None and self.fault is not None and self.fault.by is Ending.KILL:
            raise UsageProblem("A server that is killed cannot retire.", "Take restart or fault, not both.")
        if not self.listens and (self.fault is not None or self.restart is not None):
            raise UsageProblem("listens: a server that does not listen can neither fail nor restart.")

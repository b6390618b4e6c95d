"""What to run, as frozen values. Everything the lab does follows from one Scenario."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from econnlab.errors import UsageProblem
from econnlab.scenario.expect import Expect
from econnlab.scenario.links import NONE, LinkSpec

#: Requests above this many in one run are refused: each keeps a record in memory.
MOST_REQUESTS = 1_000_000
#: Sessions above this many are refused: each is a real connection from one address to one port,
#: and Linux offers 28,232 local ports by default (ip(7), ip_local_port_range).
MOST_SESSIONS = 20_000


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


@dataclass(frozen=True)
class Fault:
    """The server ends a connection, or itself, ``after_ms`` after a request has come to the stage ``at``."""

    at: Stage
    by: Ending = Ending.FIN
    #: It strikes at each connection's request of this number, and at those after it.
    request: int = 1
    after_ms: Decimal = Decimal(0)


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
    #: ``fin``: close(2) as it comes; ``rst``: SO_LINGER 0 first.
    close_with: str = "fin"
    #: The event loop is blocked for ``busy_for_ms`` every ``busy_every_ms``, start to start.
    busy_for_ms: Decimal = Decimal(0)
    busy_every_ms: Decimal = Decimal(0)
    response_delay_ms: Decimal = Decimal(0)
    #: Bytes of the response body.
    response_size: int = 3
    #: Send the body in chunks, without Content-Length.
    chunked: bool = False
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
    #: Listen at once, accept only after this long, as an application that still starts.
    accept_after_ms: Decimal = Decimal(0)
    #: listen(2)'s; the kernel cuts it down to net.core.somaxconn.
    backlog: int = 4096
    #: False: the port is bound and nobody listens on it.
    listens: bool = True
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
        if self.max_connections is not None and self.max_connections < 1:
            raise UsageProblem("A server that allows no connection cannot be asked.", "Allow at least 1.")
        if self.busy_for_ms and self.busy_for_ms >= self.busy_every_ms:
            raise UsageProblem(
                f"A server blocked for {self.busy_for_ms} ms every {self.busy_every_ms} ms never answers.",
                "Block it for less than the time from one block to the next.",
            )


@dataclass(frozen=True)
class ClientSpec:
    """The client under test and how it is set up."""

    #: The name of a file in client/kinds/.
    kind: str = "requests"
    #: Look whether the socket is readable before it is reused, as urllib3 does (util/connection.py).
    stale_check: bool = True
    #: urllib3's Retry(total=N); 0 is none.
    retries: int = 0
    timeout_ms: Decimal = Decimal(10_000)
    method: str = "GET"
    #: Bytes that a POST or PUT carries.
    body_size: int = 10
    #: The client is blocked for this long when it has taken up a connection, before it writes: as by a long
    #: computation in its event loop, or a stop of the whole process.
    blocked_ms: Decimal = Decimal(0)
    #: Speak https to the lab server; None: as the server does.
    tls: bool | None = None

    def __post_init__(self) -> None:
        if not self.timeout_ms:
            raise UsageProblem("A client that waits no time gets no answer.", "Give a --timeout above 0.")


@dataclass(frozen=True)
class Middlebox:
    """What forgets idle connections on the way, as NAT gateways, firewalls and balancers do."""

    idle_timeout_ms: Decimal
    #: Answer the next packet with RST; without it packets of a forgotten connection are dropped silently.
    rst: bool = True


@dataclass(frozen=True)
class Proxy:
    """A real reverse proxy that clients ask; the link, if there is one, stands between it and the server."""

    #: The name of a file in peers/proxies/.
    kind: str
    #: How long it keeps idle connections to the server.
    idle_timeout_ms: Decimal = Decimal(60_000)


@dataclass(frozen=True)
class Kernel:
    """Settings of the kernel for this run alone: it takes place in a network namespace of its own (Linux)."""

    #: Names below net.ipv4, or dotted names, and their values.
    settings: dict[str, str]
    #: Packets themselves take this long each way, the handshake's too; 0 is bare loopback.
    packet_delay_ms: Decimal = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """How many ask, how often, how far apart."""

    #: One row of the table each; ignored where each session sends one request.
    intervals_ms: tuple[Decimal, ...] = (Decimal(5000),)
    #: Sessions per interval.
    sessions: int = 1
    #: Requests per session, one after another.
    requests: int = 10
    #: All sessions start at the same moment, instead of spread so that they do not disturb each other.
    together: bool = False
    #: With ``together``: so many at the same moment, as many again ``wave_gap_ms`` later, and so on.
    wave: int | None = None
    wave_gap_ms: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if not self.intervals_ms:
            raise UsageProblem("There is no interval to run.", "Give at least one, as --interval 4990.")
        if self.sessions < 1 or self.requests < 1:
            raise UsageProblem("There is nothing to run.", "Give at least 1 session and 1 request.")
        if self.wave is not None and (self.wave < 1 or not self.together):
            raise UsageProblem("Waves are of at least 1 session, and of sessions that start together.")
        if self.total_sessions > MOST_SESSIONS:
            raise UsageProblem(
                f"{self.total_sessions} sessions side by side are more than {MOST_SESSIONS}, "
                "near the number of local ports a machine has.",
                "Take fewer intervals or fewer sessions.",
            )
        if self.total_requests > MOST_REQUESTS:
            raise UsageProblem(
                f"{self.total_requests} requests are more than {MOST_REQUESTS}.",
                "Take fewer intervals, sessions or requests.",
            )

    @property
    def total_sessions(self) -> int:
        """Sessions of all rows."""
        return len(self.intervals_ms) * self.sessions

    @property
    def total_requests(self) -> int:
        """Requests of all rows."""
        return self.total_sessions * self.requests


@dataclass(frozen=True)
class Scenario:
    """One run: a server (ours or the user's ``url``), a link, a client and a plan."""

    name: str
    title: str = ""
    #: Where it is met in production.
    story: str = ""
    server: ServerSpec | None = ServerSpec()
    url: str | None = None
    link: LinkSpec = NONE
    middlebox: Middlebox | None = None
    proxy: Proxy | None = None
    kernel: Kernel | None = None
    client: ClientSpec = ClientSpec()
    plan: Plan = Plan()
    seed: int = 1
    expect: Expect | None = None

    @property
    def relayed(self) -> bool:
        """A link process stands between client and server, and relays bytes."""
        return self.link.relayed or self.middlebox is not None

    @property
    def wired(self) -> bool:
        """A process between client and server delays packets."""
        return self.kernel is not None and bool(self.kernel.packet_delay_ms)

    def __post_init__(self) -> None:
        if self.wired and (self.relayed or self.server is None):
            raise UsageProblem(
                "Packets are delayed on the way to the lab server alone, with no link and no middlebox.",
                "Leave out kernel.packet_delay, or the link, middlebox or url.",
            )
        if (self.server is None) == (self.url is None):
            raise UsageProblem("A run needs either the lab server or a URL.", "Give --url, or leave it out.")

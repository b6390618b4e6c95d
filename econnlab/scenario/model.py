"""What to run, as frozen values. Everything the lab does follows from one Scenario."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from econnlab.errors import UsageProblem
from econnlab.scenario.links import NONE, LinkSpec

#: Requests above this many in one run are refused: each keeps a record in memory.
MOST_REQUESTS = 1_000_000
#: Sessions above this many are refused: each is a real connection from one address to one port,
#: and Linux offers 28,232 local ports by default (ip(7), ip_local_port_range).
MOST_SESSIONS = 20_000


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
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
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

    def __post_init__(self) -> None:
        if not self.intervals_ms:
            raise UsageProblem("There is no interval to run.", "Give at least one, as --interval 4990.")
        if self.sessions < 1 or self.requests < 1:
            raise UsageProblem("There is nothing to run.", "Give at least 1 session and 1 request.")
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
    client: ClientSpec = ClientSpec()
    plan: Plan = Plan()
    seed: int = 1

    def __post_init__(self) -> None:
        if (self.server is None) == (self.url is None):
            raise UsageProblem("A run needs either the lab server or a URL.", "Give --url, or leave it out.")

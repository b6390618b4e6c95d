"""What to run, as frozen values. Everything the lab does follows from one Scenario."""

from dataclasses import dataclass
from decimal import Decimal

from econnlab.errors import UsageProblem
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.expect import Expect
from econnlab.scenario.links import NONE, LinkSpec
from econnlab.scenario.server import ServerSpec

#: Requests above this many in one run are refused: each keeps a record in memory.
MOST_REQUESTS = 1_000_000
#: Sessions above this many are refused: each is a real connection from one address to one port,
#: and Linux offers 28,232 local ports by default (ip(7), ip_local_port_range).
MOST_SESSIONS = 20_000
#: The default server: no limits, no faults.
LAB_SERVER = ServerSpec()
#: The default client.
LAB_CLIENT = ClientSpec()


@dataclass(frozen=True)
class Middlebox:
    """Forgets idle connections, as NAT gateways, firewalls and balancers do."""

    idle_timeout_ms: Decimal
    #: Answer packets of a forgotten connection with RST; otherwise drop them silently.
    rst: bool = True


@dataclass(frozen=True)
class Proxy:
    """A real reverse proxy in front of the link and the server."""

    #: The name of a file in peers/proxies/.
    kind: str
    #: How long it keeps idle connections to the server.
    idle_timeout_ms: Decimal = Decimal(60_000)


@dataclass(frozen=True)
class Kernel:
    """Kernel settings for this run, which gets its own network namespace (Linux)."""

    #: Names below net.ipv4, or dotted names, and their values.
    settings: dict[str, str]
    #: Delay of every packet, one way, also of the handshake; 0 is bare loopback.
    packet_delay_ms: Decimal = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """How many sessions send how many requests, and how far apart."""

    #: A row of the table each; ignored if each session sends one request.
    intervals_ms: tuple[Decimal, ...] = (Decimal(5000),)
    #: Sessions per interval.
    sessions: int = 1
    #: Requests per session, one after another.
    requests: int = 10
    #: All sessions start at the same moment, instead of spread so that they do not disturb each other.
    together: bool = False
    #: With ``together``: how many start at the same moment, and as many each ``wave_gap_ms`` later.
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
    #: Where it occurs in production.
    story: str = ""
    server: ServerSpec | None = LAB_SERVER
    url: str | None = None
    link: LinkSpec = NONE
    middlebox: Middlebox | None = None
    proxy: Proxy | None = None
    kernel: Kernel | None = None
    client: ClientSpec = LAB_CLIENT
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
        if self.server is None and (self.kernel is not None or self.proxy is not None):
            raise UsageProblem(
                "Kernel settings and a proxy are for the lab server, which a url replaces.", "Leave one out."
            )
        if self.proxy is not None and self.server is not None and self.server.tls:
            raise UsageProblem("The proxies here speak plain HTTP to the server.", "Leave out server.tls.")
        if self.wired and (self.relayed or self.server is None):
            raise UsageProblem(
                "Packets are delayed on the way to the lab server alone, with no link and no middlebox.",
                "Leave out kernel.packet_delay, or the link, middlebox or url.",
            )
        if (self.server is None) == (self.url is None):
            raise UsageProblem("A run needs either the lab server or a URL.", "Give --url, or leave it out.")

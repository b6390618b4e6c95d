"""What a diagnosis finds: failures, and the servers they are counted with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from econnlab.attribution.verdict import UNKNOWN, Verdict
from econnlab.record.attempts import Attempt, Outcome

#: Causes that cost nobody a request.
HARMLESS = frozenset({"harmless_reset", "port_scan"})
#: Causes under which the client got bytes, and no answer.
_NO_ANSWER = frozenset({"invalid_response"})


@dataclass(frozen=True)
class Ended:
    """The first packet that ended the connection."""

    #: ``client`` or ``server``.
    by: str
    #: ``FIN`` or ``RST``.
    packet: str
    #: Seconds since the epoch.
    at: float


@dataclass(frozen=True)
class Finding:
    """One failure. Times are seconds since the epoch."""

    #: The connection's number, in the order in which they began.
    connection: int
    at: float
    client: str
    server: str
    #: ``GET /orders HTTP/1.1``, untrusted; empty where none was sent, or it could not be read.
    request: str
    attempt: Attempt
    verdict: Verdict
    ended: Ended | None
    #: The connection behind a proxy on which it was decided: client's and server's end of it.
    decided_on: tuple[str, str] | None
    tls: bool
    #: Client's and server's address and port of each connection that has to do with it, in front first.
    hops: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def culprit(self) -> str:
        """The server that it is counted with: the one behind the proxy, where that is known."""
        return self.decided_on[1] if self.decided_on is not None else self.server

    @property
    def lost(self) -> bool:
        """The client did not get its answer."""
        if self.verdict.cause in HARMLESS:
            return False
        if self.attempt.sent is None and self.verdict.cause == UNKNOWN:
            return False  # nothing was asked, and nothing says that it would have been
        return self.attempt.outcome is not Outcome.OTHER or self.verdict.cause in _NO_ANSWER


@dataclass(frozen=True)
class IdleTimeout:
    """After how long a server was seen to close idle connections, s."""

    seen: int
    median_s: float
    low_s: float
    high_s: float

    @property
    def constant(self) -> bool:
        """All of them may come from one timer."""
        return self.high_s - self.low_s <= max(0.05, 0.05 * self.median_s)


@dataclass
class ServerReport:
    """One server of the capture."""

    address: str
    connections: int = 0
    requests: int = 0
    lost: int = 0
    #: Lost before they were sent: the connection was refused, or ended first.
    unasked: int = 0
    #: Connections on which the server sent an RST.
    resets: int = 0
    idle_timeout: IdleTimeout | None = None
    #: The longest that a connection was idle and then used again, s.
    survived_s: float = 0.0
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def share_lost(self) -> float:
        """Of the requests, with those that could not be sent, those that were lost; 0 of none."""
        asked = max(self.requests + self.unasked, self.lost)
        return self.lost / asked if asked else 0.0

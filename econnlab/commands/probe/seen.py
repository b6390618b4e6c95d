"""What a probe saw of a server; each visit is one connection. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from econnlab.record.attempts import Outcome

#: A request that was sent this much too late is discarded and repeated.
LATEST_S = 0.0002
#: So is one whose first response may have ended this much earlier than it was seen; less is taken into
#: account.
LOOSEST_S = 0.001


class Framing(StrEnum):
    """How a response says where it ends (RFC 9112 section 6.3)."""

    NO_BODY = "no body"
    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until the connection closes"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response; text as it came."""

    http_version: str
    status: int
    keep_alive: str | None
    connection: str | None
    server: str | None
    location: str | None
    framing: Framing
    body_bytes: int
    #: Statuses of the interim responses before it (1xx).
    interim: tuple[int, ...]
    #: Another request may follow on the connection (RFC 9112 section 9.3).
    persistent: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """The server's end of a connection that waited for a request."""

    #: From the end of the response to the moment when a client could see the end of the connection.
    idle_s: float
    #: ``FIN`` or ``RST``; empty if the server announced the end, but no packet of TCP ended the connection.
    packet: str
    #: By how much earlier it may have come.
    slack_s: float
    #: What the server sent before it closed: ``close_notify``, ``408``, or nothing.
    said: str = ""


@dataclass(frozen=True, slots=True)
class ProbeVisit:
    """One connection: an answered request, then silence, then mostly a second request, written blindly."""

    #: When the response had ended, on the monotonic clock.
    began: float
    connect_s: float
    #: From the request to the first byte of its response.
    answer_s: float
    #: From the request to the last byte of its response.
    took_s: float
    #: By how much earlier than it was seen the response may have ended.
    slack_s: float
    #: The end, if it was seen before the second request was written, or without one.
    closing: Closing | None = None
    #: When the second request was due, from the end of the response; None without a second request.
    idle_s: float | None = None
    #: How much later than due the kernel got it.
    late_s: float = 0.0
    outcome: Outcome | None = None
    errno: str | None = None
    status: int | None = None
    #: Line breaks came behind a response: RFC 9112 section 9.2 lets a client ignore them.
    stray: bool = False

    @property
    def asked(self) -> bool:
        """A second request was written, so it is a trial."""
        return self.idle_s is not None

    @property
    def lost(self) -> bool:
        """The second request got no answer."""
        return self.asked and self.outcome is not Outcome.OK

    @property
    def seen(self) -> bool:
        """A client that checks before it writes would have seen the end, and opened a new connection."""
        return self.closing is not None

    @property
    def exact(self) -> bool:
        """Its times are reliable."""
        return self.late_s <= LATEST_S and self.slack_s <= LOOSEST_S


@dataclass(frozen=True, slots=True)
class Series:
    """Requests one after another on one connection."""

    #: How many were answered.
    requests: int
    #: How many were to be sent.
    wanted: int
    #: The last response announced the end (``Connection: close``).
    announced: bool = False
    #: How the request after the last answered one was lost; None if none was.
    outcome: Outcome | None = None

    @property
    def unfinished(self) -> bool:
        """It ended before all requests were sent, though the server did not end it."""
        return self.requests < self.wanted and not self.announced and self.outcome is None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Connections held open at the same time, each with an answered request, until one was refused."""

    held: int
    wanted: int
    #: How the first few beyond those were refused; empty if none was.
    refused: tuple[NotServed, ...] = ()


@dataclass(frozen=True, slots=True)
class NotServed:
    """How one more connection was not served."""

    outcome: Outcome
    #: The connection had been accepted.
    connected: bool
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """What the TLS handshake agreed on."""

    version: str
    cipher: str
    protocol: str | None
    #: Why the certificate is not trusted; empty if it is.
    complaint: str


@dataclass(frozen=True, slots=True)
class Precision:
    """How punctual the probe was, over all timed sends."""

    sends: int
    median_s: float
    p99_s: float
    #: Trials that were too late, and repeated.
    discarded: int


@dataclass(frozen=True, slots=True)
class Probed:
    """All that a probe saw."""

    url: str
    method: str
    address: str
    user_agent: str
    #: Requests allowed.
    budget: int
    #: How many were sent.
    requests: int
    connections: int
    max_wait_s: float
    took_s: float
    head: Head
    security: Security | None
    #: How the first connection ended, if it was not kept.
    closing: Closing | None
    visits: tuple[ProbeVisit, ...]
    #: How those connections failed whose first response did not come whole; they are not visits.
    failures: tuple[Outcome, ...]
    series: Series | None
    crowd: Crowd | None
    precision: Precision | None
    #: The user stopped it.
    interrupted: bool
    #: The server answered 429, so no more was asked.
    throttled: bool
    #: The budget of requests was used up before the probe was complete.
    out_of_budget: bool
    #: The byte budget, if it was used up before the probe was complete.
    out_of_bytes: int | None = None

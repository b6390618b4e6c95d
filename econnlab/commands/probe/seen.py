"""What a probe saw of a server: one visit a connection. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from econnlab.record.attempts import Outcome

#: A request that left later than this after it was due is not the one that was wanted: it is repeated.
LATEST_S = 0.0002
#: So is one whose response may have ended this much earlier than it was seen; less is reckoned with.
LOOSEST_S = 0.001


class Framing(StrEnum):
    """How a response says where it ends (RFC 9112 section 6.3)."""

    NO_BODY = "no body"
    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until the connection closes"


@dataclass(frozen=True, slots=True)
class Head:
    """What a response says of itself and of its connection; text as it came."""

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
    #: By HTTP's rules another request may follow on the connection (RFC 9112 section 9.3).
    persistent: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """The server's end of a connection that waited for a request."""

    #: From the end of the response to when a client could see it.
    idle_s: float
    #: ``FIN`` or ``RST``; empty where only its words came, and no packet of TCP that ends it.
    packet: str
    #: By how much earlier it may have come.
    slack_s: float
    #: What it said before it closed: ``close_notify``, ``408``, or nothing.
    said: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection: a request answered, then silence, then mostly a second request, written blindly."""

    #: When the response had ended, on the monotonic clock.
    began: float
    connect_s: float
    #: From the request to the first byte of its response.
    answer_s: float
    #: From the request to the last byte of its response.
    took_s: float
    #: By how much earlier than it was seen the response may have ended.
    slack_s: float
    #: Seen before the second request was written, or where there was none.
    closing: Closing | None = None
    #: When the second request was due, from the end of the response; None where there was none.
    idle_s: float | None = None
    #: How much later than due it was handed to the kernel.
    late_s: float = 0.0
    outcome: Outcome | None = None
    errno: str | None = None
    status: int | None = None

    @property
    def asked(self) -> bool:
        """It is a trial: a second request was written."""
        return self.idle_s is not None

    @property
    def lost(self) -> bool:
        """The second request got no answer."""
        return self.asked and self.outcome is not Outcome.OK

    @property
    def seen(self) -> bool:
        """A client that looks before it writes would have seen the end, and opened anew."""
        return self.closing is not None

    @property
    def exact(self) -> bool:
        """Its times can be relied upon."""
        return self.late_s <= LATEST_S and self.slack_s <= LOOSEST_S


@dataclass(frozen=True, slots=True)
class Series:
    """Requests one after another on one connection."""

    #: Answered.
    requests: int
    #: So many were to be asked.
    wanted: int
    #: The last response announced the end (``Connection: close``).
    announced: bool = False
    #: How the request after the last answered one was lost; None where none was.
    outcome: Outcome | None = None

    @property
    def unfinished(self) -> bool:
        """It ended before the server ended it, and before all were asked."""
        return self.requests < self.wanted and not self.announced and self.outcome is None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Connections held at the same time, each with a request answered, until one was not taken."""

    held: int
    wanted: int
    #: How those beyond were refused, most of which a few are tried; empty where all were taken.
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """How one connection more was not served."""

    outcome: Outcome
    #: It had been accepted.
    connected: bool
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """What TLS came to."""

    version: str
    cipher: str
    protocol: str | None
    #: Why the certificate is not to be trusted; empty where it is. Not asked: see ``checked``.
    complaint: str


@dataclass(frozen=True, slots=True)
class Precision:
    """How punctual the prober was, over all sends that had a time."""

    sends: int
    median_s: float
    p99_s: float
    #: Trials that were repeated for it.
    discarded: int


@dataclass(frozen=True, slots=True)
class Probed:
    """All that a probe saw."""

    url: str
    method: str
    address: str
    user_agent: str
    budget: int
    #: Requests that were sent.
    requests: int
    connections: int
    max_wait_s: float
    took_s: float
    head: Head
    security: Security | None
    #: How a connection ended that was not to be kept.
    closing: Closing | None
    visits: tuple[Visit, ...]
    #: How connections ended before their first response was whole, beside the visits.
    failures: tuple[Outcome, ...]
    series: Series | None
    crowd: Crowd | None
    precision: Precision | None
    #: Told to stop, by the user.
    interrupted: bool
    #: The server answered 429, and was left alone from then on.
    throttled: bool
    #: More would have been asked.
    out_of_budget: bool

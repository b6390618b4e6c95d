"""What one step of a probe's connection comes to."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TypeVar

from econnlab.commands.probe.asking.loop import Wait, Woken
from econnlab.commands.probe.seen import Head
from econnlab.record.attempts import Outcome

T = TypeVar("T")
#: A step: it yields what it waits for, and returns its result.
Step = Generator[Wait, Woken, T]


class Phase(StrEnum):
    """How far a connection had come."""

    CONNECT = "connect"
    TLS = "tls"
    HEAD = "head"
    BODY = "body"


class Why(Enum):
    """Reasons that an outcome does not tell."""

    UNTRUSTED = auto()  # the certificate
    UNASKED = auto()  # the server sent something before it was asked
    TOO_LONG = auto()  # the body has more bytes than the probe reads


@dataclass(frozen=True)
class ProbeExchange:
    """A request and its whole response. Times are on the monotonic clock."""

    head: Head
    #: When the request was written, and when the first and the last byte of the response came.
    asked: float
    first: float
    ended: float
    #: By how much earlier it may have ended.
    slack: float


class StepFailed(Exception):
    """A step did not come to its end."""

    def __init__(
        self,
        outcome: Outcome,
        phase: Phase,
        *,
        errno: str | None = None,
        detail: str = "",
        got: bytes = b"",
        why: Why | None = None,
    ) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.phase = phase
        self.errno = errno
        #: What OpenSSL, h11 or the system reported.
        self.detail = detail
        #: The first bytes that came, of the TLS handshake or of HTTP.
        self.got = got
        self.why = why

"""Attempts: one try of a request on one connection, as the client saw it."""

import errno
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended for the client (docs/architecture.md, The words)."""

    OK = "ok"
    RESET = "reset"
    CLOSED = "closed"
    BROKEN_PIPE = "broken_pipe"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    HTTP_ERROR = "http_error"
    OTHER = "other"


#: The outcome that an errno means; errno.h of Linux and macOS.
BY_ERRNO = {
    errno.ECONNRESET: Outcome.RESET,
    errno.ECONNABORTED: Outcome.RESET,
    errno.EPIPE: Outcome.BROKEN_PIPE,
    errno.EPROTOTYPE: Outcome.BROKEN_PIPE,  # macOS, writing during teardown (libuv PR #482)
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ETIMEDOUT: Outcome.TIMEOUT,
}
FAILURES = tuple(outcome for outcome in Outcome if outcome is not Outcome.OK)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. Times are seconds on the monotonic clock; None is what never happened."""

    #: Which row of the table: the index of its interval.
    row: int
    session: int
    #: 1 for the session's first request.
    request: int
    #: 1 for the first try of that request.
    number: int
    request_id: str
    method: str
    #: When the request was due; None for a retry, which the retry policy times.
    planned: float | None
    #: When the client began: it took a connection from its pool or started a new one.
    began: float
    #: Just before the first byte of the request was handed to the kernel.
    sent: float | None
    first_byte: float | None
    #: When the last byte was read, or the error was raised.
    ended: float
    #: The client's connections of the run, counted from 1; None if there was none.
    connection: int | None
    #: The client's address, ``127.0.0.1:41234``, by which the ledgers know the connection.
    local: str | None
    #: The connection had carried a response before.
    reused: bool
    #: From the end of the response before it on this connection to ``sent``.
    idle_s: float | None
    outcome: Outcome
    status: int | None
    bytes_read: int
    #: The exception chain by class names, outermost first; empty when there was none.
    error: str
    #: The symbolic errno at the root of that chain.
    errno: str | None
    #: The errno of a send after which the client went on to read, as urllib3 does after EPIPE.
    send_errno: str | None
    #: The server's headers ``Keep-Alive`` and ``Connection``.
    keep_alive: str | None
    connection_header: str | None
    #: The error as a real client names it: "socket hang up". None for the lab's own clients.
    named: str | None = None

    @property
    def lateness_s(self) -> float | None:
        """From the due time to the first byte handed to the kernel."""
        if self.planned is None or self.sent is None:
            return None
        return self.sent - self.planned


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for: its attempts in order, never empty. The last one decides."""

    attempts: tuple[Attempt, ...]

    @property
    def last(self) -> Attempt:
        """The attempt that the client's caller saw."""
        return self.attempts[-1]

    @property
    def ok(self) -> bool:
        """The caller got its response."""
        return self.last.outcome is Outcome.OK

    @property
    def rescued(self) -> bool:
        """It succeeded after an attempt had failed."""
        return self.ok and len(self.attempts) > 1

"""The client of a scenario: which one, its settings, and its remedies against losses."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from econnlab.errors import UsageProblem
from econnlab.scenario.bounds import at_least

#: The policy of ``retries`` without a policy's name: urllib3's Retry.
DEFAULT_RETRY = "urllib3"
NO_RETRY = "none"
#: The kind of a client that is any program, known by the ledgers alone.
PROGRAM = "program"


class PoolOrder(StrEnum):
    """Which idle connection a client reuses first."""

    LIFO = "lifo"  # the one used last, as in urllib3, Go and Node: the server closes the others unused
    FIFO = "fifo"  # each in turn, so that all of them are idle for equally long


@dataclass(frozen=True)
class ClientSpec:
    """The client under test and its settings. Durations in milliseconds."""

    #: Keys of earlier versions, which files and records may still hold.
    RENAMED: ClassVar[dict[str, str]] = {"keep_alive_margin_ms": "honour_keep_alive_ms"}

    #: The name of a file in client/kinds/.
    kind: str = "requests"
    #: Check whether the socket is readable before a reuse, as urllib3 does (util/connection.py).
    stale_check: bool = True
    #: The name of a file in client/policies/; None: urllib3's Retry if ``retries`` is above 0.
    retry: str | None = None
    #: How often the policy tries again at most; 0: its own default.
    retries: int = 0
    timeout_ms: Decimal = Decimal(10_000)
    method: str = "GET"
    #: Bytes in the body of a POST or PUT.
    body_size: int = 10
    #: The body can be sent again; False: it comes from a stream that can be read once.
    replayable: bool = True
    #: The client is blocked for this long between taking up a connection and writing, as by a long
    #: computation in its event loop, or a stop of the whole process.
    blocked_ms: Decimal = Decimal(0)
    #: The client's process is stopped (SIGSTOP) for this long after its first response, as AWS Lambda freezes
    #: a function between invocations; only a client in a process of its own can be.
    frozen_ms: Decimal = Decimal(0)
    #: Speak https to the lab server; None: as the server does.
    tls: bool | None = None
    #: A connection that was idle for longer is replaced, not reused; None: there is no limit.
    idle_limit_ms: Decimal | None = None
    #: Obey ``Keep-Alive: timeout=N``, with this margin: no reuse in the last so many ms of it; None: ignore
    #: it.
    honour_keep_alive_ms: Decimal | None = None
    #: Send ``Connection: close`` with each request.
    connection_close: bool = False
    #: Send ``OPTIONS *`` on an idle connection, and reuse it only if that is answered.
    ping: bool = False
    #: The kernel sends TCP keep-alive probes after so long without a packet; whole seconds.
    tcp_keepalive_ms: Decimal | None = None
    #: Send ``Idempotency-Key``, the same value with each attempt of a request.
    idempotency_key: bool = False
    #: How many connections a session's pool keeps, and in which order it reuses them.
    pool_size: int = 1
    pool_order: PoolOrder = PoolOrder.LIFO

    #: With the kind ``program``: the words that start the user's own program, once per session.
    program: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.timeout_ms:
            raise UsageProblem("A client with a timeout of 0 gets no answer.", "Give a --timeout above 0.")
        at_least(0, retries=self.retries, body_size=self.body_size)
        at_least(1, pool_size=self.pool_size)
        if self.retries and self.retry == NO_RETRY:
            raise UsageProblem(
                "retry: the policy none never tries again.", "Leave out retries, or name another."
            )
        if self.tcp_keepalive_ms is not None and self.tcp_keepalive_ms < 1000:
            raise UsageProblem(
                "tcp_keepalive: the kernel sends probes after whole seconds (tcp(7), TCP_KEEPIDLE).",
                "Give 1s or more.",
            )

    @property
    def policy(self) -> str:
        """The name of the retry policy."""
        return self.retry or (DEFAULT_RETRY if self.retries else NO_RETRY)

"""The client of a scenario: which one, how it is set up, and what it does against losses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from econnlab.errors import UsageProblem
from econnlab.scenario.bounds import at_least

#: What retries are without a policy's name: urllib3's own Retry.
DEFAULT_RETRY = "urllib3"
NO_RETRY = "none"


class PoolOrder(StrEnum):
    """Which idle connection a client takes up."""

    LIFO = "lifo"  # the one used last, as urllib3, Go and Node do: the others age and are closed in peace
    FIFO = "fifo"  # each in turn, so that all of them age alike


@dataclass(frozen=True)
class ClientSpec:
    """The client under test and how it is set up. Durations in milliseconds."""

    #: The name of a file in client/kinds/.
    kind: str = "requests"
    #: Look whether the socket is readable before it is reused, as urllib3 does (util/connection.py).
    stale_check: bool = True
    #: The name of a file in client/policies/; None: urllib3's Retry where ``retries`` asks for any.
    retry: str | None = None
    #: How often the policy tries again at most; 0: as often as it does by itself.
    retries: int = 0
    timeout_ms: Decimal = Decimal(10_000)
    method: str = "GET"
    #: Bytes that a POST or PUT carries.
    body_size: int = 10
    #: The body can be sent again; False: it comes from a stream that is read once.
    replayable: bool = True
    #: The client is blocked for this long when it has taken up a connection, before it writes: as by a long
    #: computation in its event loop, or a stop of the whole process.
    blocked_ms: Decimal = Decimal(0)
    #: Speak https to the lab server; None: as the server does.
    tls: bool | None = None
    #: A connection idle for longer is replaced, not reused; None: idle connections have no limit.
    idle_limit_ms: Decimal | None = None
    #: Heed ``Keep-Alive: timeout=N``: no reuse in the last so many ms of it; None: it is not heeded.
    keep_alive_margin_ms: Decimal | None = None
    #: Say ``Connection: close`` with each request.
    connection_close: bool = False
    #: Ask ``OPTIONS *`` on an idle connection, and reuse it only if it is answered.
    ping: bool = False
    #: TCP keep-alive probes after so long without a packet; whole seconds, as the kernel has it.
    tcp_keepalive_ms: Decimal | None = None
    #: Send ``Idempotency-Key``, the same with each attempt of a request.
    idempotency_key: bool = False
    #: Connections that a session's pool keeps, and in which order it takes them up.
    pool_size: int = 1
    pool_order: PoolOrder = PoolOrder.LIFO

    def __post_init__(self) -> None:
        if not self.timeout_ms:
            raise UsageProblem("A client that waits no time gets no answer.", "Give a --timeout above 0.")
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

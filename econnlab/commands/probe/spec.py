"""What a probe is to do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class ProbeSpec:
    """The server, and how much of it is asked."""

    url: str
    method: str = "GET"
    #: A connection that is idle for this long without being closed is kept, as far as the probe is concerned.
    max_wait_ms: Decimal = Decimal(120_000)
    #: For each connection, and for each whole response.
    timeout_ms: Decimal = Decimal(10_000)
    #: At the same time.
    connections: int = 40
    #: Requests in all.
    budget: int = 500
    #: Asked on one connection, one after another, to find a limit; 0 does not look for it.
    requests_per_connection: int = 110
    #: Connections held at a time to find a limit; None does not look for it.
    max_connections: int | None = None
    #: Go on where the certificate is not to be trusted.
    insecure: bool = False

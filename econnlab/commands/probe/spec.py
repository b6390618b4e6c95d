"""What a probe is to do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class ProbeSpec:
    """The server, and how much may be asked of it."""

    url: str
    method: str = "GET"
    #: A connection that is idle for this long counts as kept.
    max_wait_ms: Decimal = Decimal(120_000)
    #: For each connection, and for each whole response.
    timeout_ms: Decimal = Decimal(10_000)
    #: Open at the same time.
    connections: int = 40
    #: Requests in all.
    budget: int = 500
    #: Sent one after another on one connection, to find a limit; 0 does not look for it.
    requests_per_connection: int = 110
    #: Connections held at a time to find a limit; None does not look for it.
    max_connections: int | None = None
    #: Continue despite an untrusted certificate.
    insecure: bool = False
    #: Megabytes of response bodies in all; a single one may have a tenth of them.
    megabytes: int = 100

    @property
    def byte_budget(self) -> int:
        """``megabytes`` in bytes."""
        return self.megabytes * 1_000_000

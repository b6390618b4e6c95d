"""The client's machine had no local port left for the connection."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain

HELP = "no local port was free for another connection: open connections and TIME_WAIT hold them all"
COLUMN = 14


def explain(case: Case) -> Finding | None:
    """connect(2) said EADDRNOTAVAIL: __inet_hash_connect() found no free port in ip_local_port_range."""
    if case.attempt.errno != "EADDRNOTAVAIL":
        return None
    return certain("connect(2) found no free local port (EADDRNOTAVAIL); no packet was sent")

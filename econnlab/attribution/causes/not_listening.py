"""No process listened on the server's port."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "no process listened on the server's port: its kernel refused the connection"
COLUMN = 12
ADVICE = (
    "At times no process listens on this port. Start the server before its clients, and check the "
    "balancer's health checks."
)


def explain(case: Case) -> Finding | None:
    """The client was refused; or the link was, and reset what it had accepted."""
    if case.attempt.outcome is Outcome.REFUSED:
        return certain("the kernel at the server's address refused the connection (RST to the SYN)")
    failed = case.link.first(Kind.CONNECT_FAILED) if case.link is not None else None
    if failed is not None and failed.errno == "ECONNREFUSED":
        return certain("the kernel at the server's address refused the link's connection (RST to the SYN)")
    return None

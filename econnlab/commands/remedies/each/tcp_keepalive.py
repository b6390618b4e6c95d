"""TCP keep-alive probes keep a middlebox from forgetting the connection; an HTTP server ignores them."""

from __future__ import annotations

from decimal import Decimal

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "tcp-keepalive"
HELP = "TCP keep-alive probes between the kernels; the server's HTTP timer ignores them"
PRICE = "no help against a server's idle timeout; helps against NAT boxes that count probes"

#: The shortest possible (tcp(7), TCP_KEEPIDLE).
EVERY_MS = Decimal(1000)


def apply(scenario: Scenario) -> Scenario | None:
    """A probe each second."""
    return adjust.client(scenario, tcp_keepalive_ms=EVERY_MS)


def untried(scenario: Scenario) -> str | None:
    """With a middlebox: the lab's is a relay of bytes, whose kernel answers the probes."""
    if scenario.middlebox is None:
        return None
    return "no probe passes the lab's middlebox, a relay of bytes; a box that counts packets is kept open"

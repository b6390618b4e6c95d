"""Probes of the kernel's: they keep middleboxes awake, and no HTTP server."""

from __future__ import annotations

from decimal import Decimal

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "tcp-keepalive"
HELP = "TCP keep-alive probes: the kernels talk, and the server's HTTP timer does not hear of it"
PRICE = "does not help against a server's idle timeout; against NAT boxes it does, where these count probes"

#: The least there is (tcp(7), TCP_KEEPIDLE).
EVERY_MS = Decimal(1000)


def apply(scenario: Scenario) -> Scenario | None:
    """A probe each second."""
    return adjust.client(scenario, tcp_keepalive_ms=EVERY_MS)


def untried(scenario: Scenario) -> str | None:
    """Where a middlebox would count them: the lab's is a relay of bytes, and its kernel answers them."""
    if scenario.middlebox is None:
        return None
    return "no probe passes the lab's middlebox, a relay of bytes; one that counts packets it keeps awake"

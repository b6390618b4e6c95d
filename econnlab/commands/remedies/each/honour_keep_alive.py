"""The client believes ``Keep-Alive: timeout=N``, less a margin, as Node's agent and undici do."""

from __future__ import annotations

from decimal import Decimal

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "honour-keep-alive"
HELP = "the client heeds the Keep-Alive: timeout=N of the server, less a second"
PRICE = "few servers send it, and in whole seconds: timeout=1 and less mean no reuse at all"

#: Node's agent keeps the same distance (agentKeepAliveTimeoutBuffer).
MARGIN_MS = Decimal(1000)


def apply(scenario: Scenario) -> Scenario | None:
    """A margin of a second."""
    return adjust.client(scenario, keep_alive_margin_ms=MARGIN_MS)

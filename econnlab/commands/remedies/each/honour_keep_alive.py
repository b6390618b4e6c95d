"""The client obeys ``Keep-Alive: timeout=N``, less a margin, as Node's agent and undici do."""

from __future__ import annotations

from decimal import Decimal

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "honour-keep-alive"
HELP = "the client obeys the server's Keep-Alive: timeout=N, less a second"
PRICE = "few servers send it, and only in whole seconds; timeout=1 or less means no reuse at all"

#: The default of Node's agent (agentKeepAliveTimeoutBuffer).
MARGIN_MS = Decimal(1000)


def apply(scenario: Scenario) -> Scenario | None:
    """A margin of a second."""
    return adjust.client(scenario, honour_keep_alive_ms=MARGIN_MS)

"""A question whose loss does not matter goes first."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "ping"
HELP = "the client asks OPTIONS * on an idle connection, and sends the request when that was answered"
PRICE = "a round trip before each request that reuses a connection, and twice the requests on the server"


def apply(scenario: Scenario) -> Scenario | None:
    """Before each reuse."""
    return adjust.client(scenario, ping=True)

"""A ping, whose loss does no harm, precedes the request."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "ping"
HELP = "the client sends OPTIONS * on an idle connection, and the request only after the answer"
PRICE = "a round trip before each request that reuses a connection, and twice the requests on the server"


def apply(scenario: Scenario) -> Scenario | None:
    """Before each reuse."""
    return adjust.client(scenario, ping=True)

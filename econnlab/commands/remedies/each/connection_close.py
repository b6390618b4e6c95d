"""No connection is used twice."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "connection-close"
HELP = "a new connection for every request (Connection: close)"
PRICE = "a handshake per request, with TLS one or two round trips more, and ports in TIME_WAIT"


def apply(scenario: Scenario) -> Scenario | None:
    """Each request carries the header."""
    return adjust.client(scenario, connection_close=True)

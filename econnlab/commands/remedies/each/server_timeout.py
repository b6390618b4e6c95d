"""The server keeps idle connections longer than its clients do."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "server-timeout"
HELP = "the server keeps idle connections longer than its clients do"
PRICE = "more idle connections on the server; the timeouts of all hops on the path must be in that order"


def apply(scenario: Scenario) -> Scenario | None:
    """Four times the longest pause, if that is longer than now."""
    longer = adjust.longest_pause(scenario) * adjust.OUTLASTS
    if scenario.server is None or longer <= scenario.server.keepalive_timeout_ms:
        return None
    return adjust.server(scenario, keepalive_timeout_ms=longer)

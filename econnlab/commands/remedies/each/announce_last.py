"""A server with a limit of requests per connection announces the last one."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "announce-last"
HELP = "the server says Connection: close with the last response of a connection"
PRICE = "none"


def apply(scenario: Scenario) -> Scenario | None:
    """If the server has a limit."""
    if scenario.server is None or scenario.server.max_requests is None:
        return None
    return adjust.server(scenario, announce_last=True)

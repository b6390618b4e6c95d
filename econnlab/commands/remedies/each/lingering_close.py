"""A server that answers early reads on until the client has heard it."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "lingering-close"
HELP = "the server reads on after an early answer, as nginx does (RFC 9112 section 9.6)"
PRICE = "server time for uploads that it will not use"


def apply(scenario: Scenario) -> Scenario | None:
    """Where it answers early."""
    if scenario.server is None or scenario.server.max_body is None:
        return None
    return adjust.server(scenario, lingering_close=True)

"""A server that answers early keeps reading until the client has the answer."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "lingering-close"
HELP = "the server keeps reading after an early answer, as nginx does (RFC 9112 section 9.6)"
PRICE = "server time for uploads that it does not use"


def apply(scenario: Scenario) -> Scenario | None:
    """If the server answers early."""
    if scenario.server is None or scenario.server.max_body is None:
        return None
    return adjust.server(scenario, lingering_close=True)

"""The client's look left out: no remedy, but what the look is worth."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "no-stale-check"
HELP = "no remedy: the client's look before reuse left out, which shows what it is worth"
PRICE = "every connection that the server has closed costs a request"


def apply(scenario: Scenario) -> Scenario | None:
    """The check off."""
    return adjust.client(scenario, stale_check=False)

"""The client does not check before a reuse. This is not a remedy; it shows what the check is worth."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "no-stale-check"
HELP = "not a remedy: the client does not check before a reuse, which shows what the check is worth"
PRICE = "every connection that the server has closed costs a request"


def apply(scenario: Scenario) -> Scenario | None:
    """Switch the check off."""
    return adjust.client(scenario, stale_check=False)

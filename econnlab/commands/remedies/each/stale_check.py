"""The client checks whether the server has closed a connection before it reuses it."""

from __future__ import annotations

from dataclasses import replace

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "stale-check"
HELP = "the client checks whether a connection was closed before it reuses it, as urllib3 does"
PRICE = "a system call per request; it cannot see a FIN that is still on its way"


def apply(scenario: Scenario) -> Scenario | None:
    """Switch the check on; urllib3 replaces a client that has no such check."""
    if scenario.client.stale_check:
        return None
    kind = scenario.client.kind if adjust.pooled(scenario) else "urllib3"
    return replace(scenario, client=replace(scenario.client, kind=kind, stale_check=True))

"""Fewer connections, each used more often."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "small-pool"
HELP = "a pool of one connection, which is used more often and so is idle for shorter times"
PRICE = "fewer requests at a time"


def apply(scenario: Scenario) -> Scenario | None:
    """If the pool has more."""
    return adjust.client(scenario, pool_size=1)

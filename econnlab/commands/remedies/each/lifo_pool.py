"""The pool takes up what was used last."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.client import PoolOrder
from econnlab.scenario.model import Scenario

NAME = "lifo-pool"
HELP = "the pool takes up the connection used last, and lets the others end in peace"
PRICE = "less spread over the servers behind a balancer"


def apply(scenario: Scenario) -> Scenario | None:
    """Where the pool takes each in turn."""
    return adjust.client(scenario, pool_order=PoolOrder.LIFO)

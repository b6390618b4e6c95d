"""The pool reuses the connection that was used last."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.client import PoolOrder
from econnlab.scenario.model import Scenario

NAME = "lifo-pool"
HELP = "the pool reuses the connection used last, so the server closes the others unused"
PRICE = "requests spread less over the servers behind a balancer"


def apply(scenario: Scenario) -> Scenario | None:
    """If the pool takes each connection in turn."""
    return adjust.client(scenario, pool_order=PoolOrder.LIFO)

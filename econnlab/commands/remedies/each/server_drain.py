"""A server that is replaced announces it before it closes."""

from __future__ import annotations

from dataclasses import replace

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Retirement

NAME = "server-drain"
HELP = "a server that is replaced answers with Connection: close for a while before it closes"
PRICE = "a restart takes as long as the drain"


def apply(scenario: Scenario) -> Scenario | None:
    """If the scenario has a restart."""
    if scenario.server is None or scenario.server.restart is None:
        return None
    return adjust.server(scenario, restart=replace(scenario.server.restart, manner=Retirement.DRAIN))

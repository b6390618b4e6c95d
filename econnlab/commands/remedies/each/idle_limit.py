"""The client replaces connections before the server's idle timer can end them."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "idle-limit"
HELP = "the client replaces connections that were idle for nearly as long as the server keeps them"
PRICE = "a new connection after each longer pause; the server's timeout must be known"


def apply(scenario: Scenario) -> Scenario | None:
    """A limit one round trip and a margin below the shortest timeout on the path."""
    limit = adjust.idle_limit_below(scenario)
    return None if limit is None else adjust.client(scenario, idle_limit_ms=limit)


def untried(scenario: Scenario) -> str | None:
    """For the user's server, whose timeout is not known."""
    if scenario.server is not None or scenario.middlebox is not None:
        return None
    return (
        "your server's idle timeout is not known here; econnlab probe measures it and names the limit to set"
    )

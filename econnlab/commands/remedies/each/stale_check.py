"""The client looks whether the server has closed a connection before it reuses it."""

from __future__ import annotations

from dataclasses import replace

from econnlab.scenario.model import Scenario

NAME = "stale-check"
HELP = "the client looks whether a connection was closed before it reuses it, as urllib3 does"
PRICE = "a system call per request; it cannot see a FIN that is still on its way"


def apply(scenario: Scenario) -> Scenario | None:
    """The check on; in place of a client that cannot look, urllib3."""
    if scenario.client.stale_check:
        return None
    kind = "urllib3" if scenario.client.kind == "http.client" else scenario.client.kind
    return replace(scenario, client=replace(scenario.client, kind=kind, stale_check=True))

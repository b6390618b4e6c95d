"""axios-retry, around axios."""

from __future__ import annotations

from econnlab.peers.store import npm_package

NAME = "axios-retry"
HELP = "axios-retry itself, with --client axios"
INSTALL = "npm:axios-retry"


def version(wanted: str | None) -> str:
    """The version that is here. Raises EnvironmentProblem."""
    return npm_package("axios-retry", wanted).version

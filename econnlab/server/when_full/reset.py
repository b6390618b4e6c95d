"""Accept it and reset it: close(2) with SO_LINGER 0, as some proxies and balancers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.scenario.server import CloseWith

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

NAME = "reset"
HELP = "accepted and reset at once (linger 0)"


def on_acceptable(server: LabServer) -> None:
    """RST, whatever has arrived."""
    server.drop(NAME, CloseWith.RST)

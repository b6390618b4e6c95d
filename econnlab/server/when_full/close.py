"""Accept it and close it at once, as Node's ``server.maxConnections`` does (net.js, onconnection)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econnlab.scenario.server import CloseWith

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

NAME = "close"
HELP = "accepted and closed at once, as Node"


def on_acceptable(server: LabServer) -> None:
    """FIN if the request has not arrived yet, RST if it has: the kernel decides."""
    server.drop(NAME, CloseWith.FIN)

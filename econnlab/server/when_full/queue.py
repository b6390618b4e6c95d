"""Do not accept it until another one ends: it waits in the kernel's accept queue, connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

NAME = "queue"
HELP = "not accepted until another connection ends"


def on_acceptable(server: LabServer) -> None:
    """Stop asking the kernel for connections; ``forget`` resumes."""
    server.pause_accepting()

"""Accept it, read its request, answer 503 and close, as nginx's limit_conn does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.server.lab_server import LabServer

NAME = "503"
HELP = "answered with 503 Service Unavailable, then closed"


def on_acceptable(server: LabServer) -> None:
    """The request is read first: closing over it would reset the answer away (RFC 9112 section 9.6)."""
    server.refuse(NAME)

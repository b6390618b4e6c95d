"""hypercorn, an ASGI server."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.python_server import python_command, timeout_words

NAME = "hypercorn"
HELP = "hypercorn, an ASGI server"
INSTALL = "pypi:hypercorn"
PRODUCT = "hypercorn"
LEDGER = Ledger.REQUESTS
CANNOT: dict[str, str] = {"max_connections": "hypercorn has no limit of connections"}
STEP_MS = 1000


def command(name: PeerName, order: ServerOrder) -> Command:
    """``keep_alive_timeout``, here in whole seconds."""
    return python_command(
        "hypercorn",
        name,
        order,
        "-m",
        "hypercorn",
        "application:asgi",
        "--bind",
        f"127.0.0.1:{order.port}",
        *timeout_words(order, "--keep-alive", "{}"),
        "--log-level",
        "warning",
    )

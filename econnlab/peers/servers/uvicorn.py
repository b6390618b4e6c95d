"""uvicorn, an ASGI server."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.python_server import python_command, timeout_words

NAME = "uvicorn"
HELP = "uvicorn, an ASGI server"
INSTALL = "pypi:uvicorn"
PRODUCT = "uvicorn"
LEDGER = Ledger.REQUESTS
CANNOT: dict[str, str] = {"max_connections": "its --limit-concurrency answers 503 instead of closing"}
STEP_MS = 1000


def command(name: PeerName, order: ServerOrder) -> Command:
    """``--timeout-keep-alive``, in whole seconds."""
    return python_command(
        "uvicorn",
        name,
        order,
        "-m",
        "uvicorn",
        "application:asgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(order.port),
        *timeout_words(order, "--timeout-keep-alive", "{}"),
        "--log-level",
        "warning",
        "--no-access-log",
    )

"""waitress, a WSGI server."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.python_server import python_command, timeout_words

NAME = "waitress"
HELP = "waitress, a WSGI server"
INSTALL = "pypi:waitress"
PRODUCT = "waitress"
LEDGER = Ledger.REQUESTS
CANNOT: dict[str, str] = {
    "max_connections": "its connection_limit leaves further ones in the queue of the kernel"
}
STEP_MS = 1000


def command(name: PeerName, order: ServerOrder) -> Command:
    """``channel_timeout`` in whole seconds, looked at every ``cleanup_interval``."""
    return python_command(
        "waitress",
        name,
        order,
        "-m",
        "waitress",
        f"--listen=127.0.0.1:{order.port}",
        *timeout_words(order, "--channel-timeout={}", "--cleanup-interval=1"),
        "--threads=16",
        "application:wsgi",
    )

"""gunicorn with gthread workers."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.python_server import python_command, timeout_words

NAME = "gunicorn"
HELP = "gunicorn with gthread workers"
INSTALL = "pypi:gunicorn"
PRODUCT = "gunicorn"
LEDGER = Ledger.REQUESTS
CANNOT: dict[str, str] = {
    "max_connections": "its --worker-connections leaves further ones in the queue of the kernel"
}
STEP_MS = 1000


def command(name: PeerName, order: ServerOrder) -> Command:
    """``--keep-alive``, in whole seconds; one worker of many threads."""
    return python_command(
        "gunicorn",
        name,
        order,
        "-m",
        "gunicorn",
        "application:wsgi",
        "--bind",
        f"127.0.0.1:{order.port}",
        "--worker-class",
        "gthread",
        "--workers",
        "1",
        "--threads",
        "16",
        *timeout_words(order, "--keep-alive", "{}"),
        "--log-level",
        "warning",
    )

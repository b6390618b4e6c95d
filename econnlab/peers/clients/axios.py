"""axios, with an agent that keeps connections; with axios-retry if it is asked for."""

from __future__ import annotations

from dataclasses import replace

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.node_client import NODE_WORDS, node_command
from econnlab.peers.store import npm_package
from econnlab.record.attempts import Outcome

NAME = "axios"
HELP = "axios with a keep-alive agent"
INSTALL = "npm:axios"
PRODUCT = "node-agent"
RETRIES = ("axios-retry",)
#: axios names its own timeout ECONNABORTED, as axios 0.x and 1.x do by default (lib/adapters/http.js).
WORDS = {**NODE_WORDS, "ECONNABORTED": Outcome.TIMEOUT}
#: The article ran axios 0.22.0 on this Node.
ARTICLE = {"0.22.0": "14.18.0"}


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is axios's; axios 0.22.0 runs on the article's Node unless the name says another."""
    on = replace(name, node=name.node or ARTICLE.get(name.version or ""))
    made = node_command("axios_client.cjs", on, "axios", "ECONNLAB_AXIOS")
    if retry is None:
        return made
    library = npm_package("axios-retry", retry.version)
    return replace(made, environment={**made.environment, "ECONNLAB_AXIOS_RETRY": str(library.folder)})

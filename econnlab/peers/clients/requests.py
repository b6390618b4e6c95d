"""requests' Session, in a process of its own."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.python_client import URLLIB3_WORDS, python_client

NAME = "requests"
HELP = "requests' Session"
INSTALL = "pypi:requests"
PRODUCT = "requests"
RETRIES = ("urllib3",)
WORDS = URLLIB3_WORDS


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is the library's."""
    return python_client("urllib3_client.py", "requests", name)

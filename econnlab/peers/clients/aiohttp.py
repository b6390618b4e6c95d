"""aiohttp's ClientSession."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.python_client import python_client
from econnlab.record.attempts import Outcome

NAME = "aiohttp"
HELP = "aiohttp's ClientSession"
INSTALL = "pypi:aiohttp"
PRODUCT = "aiohttp"
RETRIES: tuple[str, ...] = ()
WORDS = {
    "ServerDisconnectedError": Outcome.CLOSED,
    "ClientPayloadError": Outcome.TRUNCATED,
    "ServerTimeoutError": Outcome.TIMEOUT,
    "TimeoutError": Outcome.TIMEOUT,
}


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is aiohttp's."""
    return python_client("aiohttp_client.py", "aiohttp", name)

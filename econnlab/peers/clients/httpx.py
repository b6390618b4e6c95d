"""httpx's Client."""

from __future__ import annotations

from econnlab.peers.command import Command
from econnlab.peers.named import PeerName
from econnlab.peers.python_client import python_client
from econnlab.record.attempts import Outcome

NAME = "httpx"
HELP = "httpx's Client"
INSTALL = "pypi:httpx"
PRODUCT = "httpx"
RETRIES: tuple[str, ...] = ()
#: httpx 0.28 and httpcore 1.0: h11's "Server disconnected without sending a response" is the end of file.
WORDS = {
    "Server disconnected without sending a response": Outcome.CLOSED,
    "peer closed connection without sending complete message body": Outcome.TRUNCATED,
    "ReadTimeout": Outcome.TIMEOUT,
    "ConnectTimeout": Outcome.TIMEOUT,
}


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The version is httpx's."""
    return python_client("httpx_client.py", "httpx", name)

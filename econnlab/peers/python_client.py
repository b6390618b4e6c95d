"""What Python client peers have in common: the interpreter and their program."""

from __future__ import annotations

from econnlab.peers.command import PROGRAMS, Command
from econnlab.peers.named import PeerName
from econnlab.peers.store import python, python_package
from econnlab.record.attempts import Outcome

#: Class names along the chain of an exception, in requests, urllib3 and http.client.
URLLIB3_WORDS = {
    "RemoteDisconnected": Outcome.CLOSED,
    "IncompleteRead": Outcome.TRUNCATED,
    "ReadTimeout": Outcome.TIMEOUT,
    "ReadTimeoutError": Outcome.TIMEOUT,
    "ConnectTimeoutError": Outcome.TIMEOUT,
}


def python_client(program: str, package: str, name: PeerName) -> Command:
    """Our interpreter with ``program`` of programs/ and ``package`` in the version asked for."""
    found = python_package(package, name.version)
    environment = {"ECONNLAB_CLIENT": package, "PYTHONDONTWRITEBYTECODE": "1"}
    if found.folder is not None:
        environment["PYTHONPATH"] = str(found.folder)
    return Command((python(), str(PROGRAMS / program)), found.version, environment)

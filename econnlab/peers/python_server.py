"""What Python server peers have in common: the interpreter, the application, and whole seconds."""

from __future__ import annotations

from econnlab.peers.command import PROGRAMS, Command, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.store import python, python_package


def python_command(package: str, name: PeerName, order: ServerOrder, *words: str) -> Command:
    """``python -m package`` and so on: ``words`` follow the interpreter. Raises EnvironmentProblem."""
    found = python_package(package, name.version)
    folders = [str(PROGRAMS), *([str(found.folder)] if found.folder is not None else [])]
    environment = {
        "PYTHONPATH": ":".join(folders),
        "ECONNLAB_RESPONSE_DELAY_S": str(order.response_delay_ms / 1000),
        "PYTHONUNBUFFERED": "1",
    }
    return Command((python(), *words), found.version, environment)


def seconds_text(order: ServerOrder) -> str:
    """The keep-alive timeout in seconds, as a server that takes whole seconds has it."""
    return str(order.keepalive_timeout_ms // 1000)

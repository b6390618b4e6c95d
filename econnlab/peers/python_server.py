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


def timeout_words(order: ServerOrder, *words: str) -> list[str]:
    """``words`` with the keep-alive timeout in whole seconds for ``{}``; nothing for the default."""
    if order.keepalive_timeout_ms is None:
        return []
    return [word.format(order.keepalive_timeout_ms // 1000) for word in words]

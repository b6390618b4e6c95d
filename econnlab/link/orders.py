"""The parent's commands, on the clockwork of a link or a wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from econnlab.link.poller import READ, Poller
from econnlab.record.ledger import Ledger
from econnlab.system.child import Commands


def follow(
    commands: Commands,
    poller: Poller,
    ledger: Ledger,
    stop: Callable[[], None],
    obey_other: Callable[[dict[str, Any]], None] = lambda _: None,
) -> None:
    """Obey what has come and what will: ``sync`` and ``stop``; ``obey_other`` has the rest."""

    def obey(orders: list[dict[str, Any]]) -> None:
        for command in orders:
            if "sync" in command:
                ledger.sync(command["sync"])
            elif command.get("stop"):
                stop()
            else:
                obey_other(command)

    poller.watch(commands.fd, READ, lambda _: obey(commands.read()))
    obey(commands.waiting())

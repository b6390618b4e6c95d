"""What the server's and the link's processes share: their commands, and how they start.

A child reads commands as JSON Lines from stdin, the first of which is its settings, and writes its
ledger to stdout. It ends when told to, and when stdin closes: whoever started it is gone then,
however that went, so a crash or a SIGKILL of the parent leaves no process behind.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

COMMANDS_FD = 0
#: Ledger lines wait at most this long in a child, unless the parent asks for them.
FLUSH_S = 0.05


def claim_ledger_stream() -> int:
    """Take stdout for the ledger alone: what anything else prints goes to stderr.

    Ctrl-C in a terminal reaches every process of the group; here it is the parent that decides.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ledger_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return ledger_fd


class Commands:
    """Commands from the parent, as they come in."""

    def __init__(self, fd: int = COMMANDS_FD) -> None:
        self.fd = fd
        self._buffer = b""

    def first(self) -> dict[str, Any]:
        """Wait for the first command. Raises EOFError when the parent has gone."""
        while b"\n" not in self._buffer:
            chunk = os.read(self.fd, 65536)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        command: dict[str, Any] = json.loads(line)
        return command

    def waiting(self) -> list[dict[str, Any]]:
        """Commands that came together with the first one: for them nothing becomes readable any more."""
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines]

    def read(self) -> list[dict[str, Any]]:
        """Commands that have arrived, when the descriptor is readable; ``{"stop": true}`` at its end."""
        chunk = os.read(self.fd, 65536)
        if not chunk:
            return [{"stop": True}]
        self._buffer += chunk
        return self.waiting()

"""The side of our own child processes: their settings, their commands, and how they start.

A child reads JSON Lines from stdin: first its settings, then commands. It writes its ledger to stdout. It
ends on the command to stop and when stdin closes, which happens even if the parent is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

COMMANDS_FD = 0
#: Ledger lines wait at most this many seconds in a child, unless the parent asks for them.
FLUSH_S = 0.05


@dataclass(frozen=True, kw_only=True)
class ChildSettings:
    """The first line that a child reads: settings that every child has."""

    #: The descriptor that the child takes over. The parent fills it in.
    listener_fd: int = -1


class Verb(StrEnum):
    """What a command asks for; in brackets the value that it carries."""

    SYNC = "sync"  # write the ledger up to now, then a line with this number (text)
    STOP = "stop"  # end
    LISTEN = "listen"  # a standby server: begin
    RETIRE = "retire"  # a server: leave in this manner (Restart)
    TREAT = "treat"  # a link: change these fields of its Treatment
    ACT = "act"  # a link: do this once (Do)
    COUNT = "count"  # a link: write the byte counts of every connection


class Command(NamedTuple):
    """A verb, and its value as plain JSON."""

    verb: Verb
    value: Any = None


def command_line(verb: Verb, value: Any = None) -> bytes:
    """The line that Commands reads."""
    return json.dumps([verb, value]).encode() + b"\n"


def claim_ledger_stream() -> int:
    """Reserve stdout for the ledger, and ignore Ctrl-C: the parent decides. Returns the descriptor.

    Anything else that is printed goes to stderr.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ledger_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return ledger_fd


class Commands:
    """The parent's lines."""

    def __init__(self, fd: int = COMMANDS_FD) -> None:
        self.fd = fd
        self._buffer = b""

    def first(self) -> dict[str, Any]:
        """Wait for the settings. Raises EOFError if the parent has gone."""
        while b"\n" not in self._buffer:
            chunk = os.read(self.fd, 65536)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        settings: dict[str, Any] = json.loads(line)
        return settings

    def waiting(self) -> list[Command]:
        """Commands that came in one read with the settings: the descriptor will not be readable for them."""
        *lines, self._buffer = self._buffer.split(b"\n")
        return [Command(Verb(verb), value) for verb, value in map(json.loads, lines)]

    def read(self) -> list[Command]:
        """Commands that have arrived, once the descriptor is readable; at its end the command to stop."""
        chunk = os.read(self.fd, 65536)
        if not chunk:
            return [Command(Verb.STOP)]
        self._buffer += chunk
        return self.waiting()

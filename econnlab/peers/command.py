"""How a peer is started: words, environment, and what it can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from econnlab.record.run import Ledger

__all__ = ["PROGRAMS", "Command", "Ledger", "ServerOrder"]

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class ServerOrder:
    """What a server peer is to do. Durations in ms."""

    port: int
    folder: Path
    #: None: what it has by default.
    keepalive_timeout_ms: int | None
    max_connections: int | None = None
    response_delay_ms: int = 0

    def write(self, name: str, text: str) -> str:
        """Write the file ``name`` into the peer's folder. Returns its path."""
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return str(file)


@dataclass(frozen=True)
class Command:
    """The words that start a peer, in the version that was found."""

    words: tuple[str, ...]
    version: str
    #: Added to our own environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What runs it, if that is not the peer itself: ``node 20.20.2``.
    runtime: str = ""

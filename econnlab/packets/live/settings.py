"""What the capture's process is told at its start."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.system.child import ChildSettings


@dataclass(frozen=True, kw_only=True)
class CaptureSettings(ChildSettings):
    """The listener is a packet socket. ``into`` is the descriptor of a file for the packets."""

    ports: tuple[int, ...]
    into: int
    #: The address that clients connect to, only for the ledger.
    local: str

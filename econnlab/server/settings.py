"""What the server's process is started with: its first command, through the codec."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.scenario.server import ServerSpec


@dataclass(frozen=True)
class ServerSettings:
    """Whoever starts the process fills in ``listener_fd``, the descriptor of a bound socket."""

    spec: ServerSpec
    listener_fd: int = -1
    #: A file with certificate and key, for a server that speaks TLS.
    certificate: str | None = None
    #: A folder to remove at the end, which comes even if the parent is killed.
    remove: str | None = None
    first_number: int = 1
    #: Do not listen until told to.
    standby: bool = False

"""What the server's process is told at its start."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.scenario.server import ServerSpec
from econnlab.system.child import ChildSettings


@dataclass(frozen=True, kw_only=True)
class ServerSettings(ChildSettings):
    """How to serve, and what else this process takes care of."""

    spec: ServerSpec
    #: Certificate and key in PEM, for TLS.
    certificate: str | None = None
    #: The certificate authority in PEM, and where this process keeps it in a file while it lives.
    authority: str | None = None
    authority_file: str | None = None
    #: The number of its first connection.
    first_number: int = 1
    #: Do not listen before the command to.
    standby: bool = False

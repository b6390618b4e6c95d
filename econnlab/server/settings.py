"""The settings with which the server's process starts."""

from dataclasses import dataclass

from econnlab.scenario.server import ServerSpec
from econnlab.system.child import ChildSettings


@dataclass(frozen=True, kw_only=True)
class ServerSettings(ChildSettings):
    """How to serve, and what else this process has to do."""

    spec: ServerSpec
    #: Certificate and key in PEM, for TLS.
    certificate: str | None = None
    #: The certificate authority in PEM, and the file in which this process keeps it while it lives.
    authority: str | None = None
    authority_file: str | None = None
    #: The number of its first connection.
    first_number: int = 1
    #: Do not listen before Verb.LISTEN.
    standby: bool = False

"""All peers: which there are, and which version of each is here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem, UsageProblem, did_you_mean
from econnlab.peers.command import Command, ServerOrder
from econnlab.peers.named import PeerName

SERVERS = "econnlab.peers.servers"
CLIENTS = "econnlab.peers.clients"
RETRIES = "econnlab.peers.retries"


class Role(StrEnum):
    """What a peer is in a run."""

    SERVER = "server"
    CLIENT = "client"
    RETRY = "retry"


_PACKAGES = {Role.SERVER: SERVERS, Role.CLIENT: CLIENTS, Role.RETRY: RETRIES}


@dataclass(frozen=True)
class Peer:
    """One peer in one role."""

    role: Role
    name: str
    module: ModuleType

    @property
    def help(self) -> str:
        """What it is."""
        return str(self.module.HELP)

    @property
    def install(self) -> tuple[str, str]:
        """Where it comes from (npm, pypi or debian), and the package's name there."""
        source, _, package = self.module.INSTALL.partition(":")
        return source, package

    @property
    def product(self) -> str | None:
        """Its name in advice/products; None for a retry library."""
        return getattr(self.module, "PRODUCT", None)

    def found(self) -> Command:
        """How the version that is here is started. Raises EnvironmentProblem with the line to install it."""
        name = PeerName(self.name)
        if self.role is Role.RETRY:
            return Command((), self.module.version(None))
        if self.role is Role.CLIENT:
            command: Command = self.module.command(name, None)
            return command
        with tempfile.TemporaryDirectory(prefix="econnlab-") as folder:
            server: Command = self.module.command(name, ServerOrder(1, Path(folder), None))
        return server


def peers(role: Role | None = None) -> Iterator[Peer]:
    """Every peer, servers first."""
    for each, package in _PACKAGES.items():
        if role in (None, each):
            for name, module in parts(package).items():
                yield Peer(each, name, module)


def peers_called(name: str) -> list[Peer]:
    """Those of that name, in every role. Raises UsageProblem."""
    found = [peer for peer in peers() if peer.name == name]
    if not found:
        names = sorted({peer.name for peer in peers()})
        raise UsageProblem(f"There is no peer {name!r}.", did_you_mean(name, names))
    return found


def version_here(peer: Peer) -> str | None:
    """``axios 0.22.0 on node 14.18.0`` without its name; None if it is not installed."""
    try:
        command = peer.found()
    except EnvironmentProblem:
        return None
    return " on ".join(filter(None, (command.version, command.runtime)))

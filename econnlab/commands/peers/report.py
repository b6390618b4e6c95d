"""The list of peers: each with its version here, its documented default timeout, and the measured one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from econnlab.advice.idle import said
from econnlab.advice.product import releases_of
from econnlab.cli.columns import Column, Grid
from econnlab.errors import UsageProblem
from econnlab.peers.catalogue import Peer, Role
from econnlab.peers.measured import LONGEST_S, Measured

#: A measured timeout differs from a documented one by more than this: two rounds of a server's clock.
_TOLERANCE_MS = Decimal(1100)


@dataclass(frozen=True)
class Line:
    """One peer. Times in ms."""

    role: str
    name: str
    help: str
    version: str | None
    install: str
    documented_ms: Decimal | None
    measured_ms: Decimal | None
    differs: bool


def line_of(peer: Peer, version: str | None, found: Measured | None) -> Line:
    """The line of ``peer``, of which ``version`` is here."""
    documented = _documented(peer, version)
    seconds = None if found is None else found.seconds
    measured = None if seconds is None else round(Decimal(seconds) * 1000, 1)
    differs = documented is not None and (
        abs(measured - documented) > _TOLERANCE_MS
        if measured is not None
        else found is not None and documented < Decimal(LONGEST_S * 1000)
    )
    line = _install_line(peer)
    return Line(peer.role.value, peer.name, peer.help, version, line, documented, measured, differs)


def _install_line(peer: Peer) -> str:
    source, package = peer.install
    return f"sudo apt-get install {package}" if source == "debian" else f"econnlab peers install {peer.name}"


def _documented(peer: Peer, version: str | None) -> Decimal | None:
    if peer.product is None or version is None:
        return None
    number = version.rpartition(" ")[2] if peer.product in ("node", "express") else version.partition(" ")[0]
    for name in (f"{peer.product}{number}", peer.product):
        try:
            _, releases = releases_of(name)
        except UsageProblem:
            continue
        release = releases[-1]
        if peer.role is Role.SERVER:
            return None if release.closes is None else release.closes + release.later_ms
        return release.reuses
    return None


def table(lines: Sequence[Line]) -> Grid:
    """A row per peer."""
    columns = [
        Column("role", [line.role for line in lines], right=False),
        Column("peer", [line.name for line in lines], right=False),
        Column(
            "version here, or how to get it", [line.version or line.install for line in lines], right=False
        ),
        Column("default timeout", [_time(line.documented_ms) for line in lines], 4),
        Column("measured", [_measured(line) for line in lines], 3),
        Column("what it is", [line.help for line in lines], 1, right=False),
    ]
    return Grid(columns)


def _time(milliseconds: Decimal | None) -> str:
    return "" if milliseconds is None else said(milliseconds)


def _measured(line: Line) -> str:
    if line.measured_ms is None:
        return "differs: none seen" if line.differs else ""
    return f"{'differs: ' if line.differs else ''}{line.measured_ms / 1000:.3f} s"

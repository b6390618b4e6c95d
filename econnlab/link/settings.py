"""What the processes of the link and of the wire are told at their start."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.scenario.links import LinkSpec
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import Treatment
from econnlab.system.child import ChildSettings


@dataclass(frozen=True, kw_only=True)
class LinkSettings(ChildSettings):
    """Relay to the first of ``upstreams``, addresses of one server, that answers."""

    treatment: Treatment
    seed: int
    upstreams: tuple[Place, ...]
    #: Enter each piece of bytes in the ledger, as evidence of a run; otherwise count bytes.
    traced: bool = False


@dataclass(frozen=True, kw_only=True)
class WireSettings(ChildSettings):
    """Delay packets by ``spec``; ``port`` is the server's, and the listener is the device."""

    spec: LinkSpec
    seed: int
    port: int

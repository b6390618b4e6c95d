"""A peer as the user names it: ``axios@0.22.0``, and the Node that runs it: ``axios@0.22.0+node@14.18.0``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from econnlab.errors import UsageProblem

_FORM = re.compile(r"(?P<kind>[a-z][a-z0-9.-]*)(@(?P<version>[0-9][\w.-]*))?(\+node@(?P<node>[0-9][\w.-]*))?")


@dataclass(frozen=True)
class PeerName:
    """A peer's kind, and the versions if the user asks for them."""

    kind: str
    version: str | None = None
    #: The version of Node that runs it.
    node: str | None = None

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version else ""
        return f"{self.kind}{version}{f'+node@{self.node}' if self.node else ''}"


def parse_peer(text: str) -> PeerName:
    """The peer that ``text`` names. Raises UsageProblem."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageProblem(f"{text!r} does not name a peer.", "Give NAME or NAME@VERSION: axios@0.22.0.")
    return PeerName(found["kind"], found["version"], found["node"])

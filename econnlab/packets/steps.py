"""What an encapsulation leads to. ``at`` is the offset of the next header in the frame."""

from __future__ import annotations

from typing import NamedTuple

#: Spaces in which ``Step.number`` is looked up.
ETHERTYPE, IP, FRAME = "ethertype", "ip", "frame"


class Step(NamedTuple):
    """The next header: behind an EtherType, an IP header, or a whole Ethernet frame."""

    space: str
    #: The EtherType in the space ``ethertype``; 0 in the others.
    number: int
    at: int


def behind(ethertype: int, at: int) -> Step:
    """The header that ``ethertype`` names begins at ``at``."""
    return Step(ETHERTYPE, ethertype, at)


def ip(at: int) -> Step:
    """An IP header begins at ``at``; its first four bits are the version."""
    return Step(IP, 0, at)


def frame(at: int) -> Step:
    """An Ethernet frame begins at ``at``."""
    return Step(FRAME, 0, at)

"""Where the first header behind the link's begins, by link type (https://www.tcpdump.org/linktypes.html)."""

from __future__ import annotations

from collections.abc import Callable

from econnlab.packets.encapsulations.pppoe import ppp
from econnlab.packets.frames import (
    ETHERNET,
    IPV4,
    IPV6,
    LOOP,
    NULL,
    PPP,
    RAW,
    RAW_OLD_12,
    RAW_OLD_14,
    SLL,
    SLL2,
)
from econnlab.packets.steps import Step, behind, frame, ip


def first(link_type: int, data: bytes) -> Step | None:
    """The first header behind the link's; None if this link type is not read, or the frame is too short."""
    reader = _LINKS.get(link_type)
    return reader(data) if reader is not None else None


def _sll(data: bytes) -> Step | None:
    return behind(data[14] << 8 | data[15], 16) if len(data) >= 16 else None


def _sll2(data: bytes) -> Step | None:
    return behind(data[0] << 8 | data[1], 20) if len(data) >= 20 else None


_LINKS: dict[int, Callable[[bytes], Step | None]] = {
    ETHERNET: lambda data: frame(0),
    **dict.fromkeys((RAW, RAW_OLD_12, RAW_OLD_14, IPV4, IPV6), lambda data: ip(0)),
    # An address family, in the byte order of the machine that captured.
    **dict.fromkeys((NULL, LOOP), lambda data: ip(4)),
    SLL: _sll,
    SLL2: _sll2,
    PPP: lambda data: ppp(data, 0),
}

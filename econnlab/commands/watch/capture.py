"""The ring that ``watch`` hears with, opened; what to say to those who may not."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

from econnlab.errors import UsageProblem
from econnlab.packets.live.block_ring import BlockRing
from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.packets.live.filter import watching
from econnlab.packets.live.ring import loopback_index


def open_ring(interface: str | None, port: int | None, host: str | None) -> BlockRing:
    """Raises UsageProblem for an interface that does not exist, CannotCapture without the right."""
    address = None if host is None else _address(host)
    index = 0 if interface is None else _index(interface)
    try:
        door = open_door()
    except CannotCapture as problem:
        if not hasattr(socket, "AF_PACKET"):
            raise
        python = os.path.realpath(sys.executable)
        raise CannotCapture(
            problem.message,
            f"Run it as root (sudo econnlab watch), or give this Python the right: sudo setcap "
            f"cap_net_raw+ep {python}",
        ) from problem
    try:
        return BlockRing(door, watching(port, address, loopback_index()), index)
    except BaseException:
        door.close()
        raise


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise UsageProblem(f"There is no interface {interface!r}.", f"There are {names}.") from error


def _address(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text.strip("[]")).packed
    except ValueError as error:
        raise UsageProblem(
            f"{text!r} is not an IP address.", "Packets hold addresses, not names: give one as 10.0.0.7."
        ) from error

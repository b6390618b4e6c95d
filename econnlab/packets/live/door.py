"""The one place that opens a packet socket: who may, and what to say to those who may not."""

from __future__ import annotations

import errno
import socket
import sys

from econnlab.errors import EnvironmentProblem


class CannotCapture(EnvironmentProblem):
    """This system or this user cannot capture packets."""


def open_door() -> socket.socket:
    """A packet socket that hears nothing yet: that begins with its bind(2), once it has a filter.

    Opening one takes CAP_NET_RAW in the user namespace that owns the network (packet(7)); what is done with
    it later takes nothing, so a process without rights can be given its descriptor.

    Raises CannotCapture.
    """
    if not hasattr(socket, "AF_PACKET"):
        raise CannotCapture(
            f"This system ({sys.platform}) has no packet sockets, by which the lab captures.",
            "Capture with tcpdump.",
        )
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        why = (
            "this user has no right to (CAP_NET_RAW)"
            if error.errno in (errno.EPERM, errno.EACCES)
            else f"{error.strerror}"
        )
        raise CannotCapture(
            f"Packets cannot be captured: {why}.", "Capture with tcpdump, as root."
        ) from error

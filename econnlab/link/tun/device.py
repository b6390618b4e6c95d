"""The TUN device: a process with the right to do so opens it and passes its descriptor on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from dataclasses import dataclass

from econnlab.errors import EnvironmentProblem
from econnlab.system.devices import bring_up, set_address, set_mtu, set_queue

#: The server listens here; it is the address of the clients as well.
NEAR = "10.77.0.1"
#: Clients connect here, and the server sees them come from here.
FAR = "10.77.0.2"

_PATH = "/dev/net/tun"
_NAME = "wire0"
_NETMASK = "255.255.255.252"
#: Ethernet's, so that a response of some KB is several packets.
_MTU = 1500
#: tun_net_xmit() drops packets when the queue is full; the default of 500 is too short for some runs.
_QUEUE = 10_000
# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000


@dataclass(frozen=True)
class TunDevice:
    """An open TUN device. Its interface exists while any process has the descriptor open."""

    fd: int
    #: The port of the server behind it.
    port: int = 0

    def fileno(self) -> int:
        """The descriptor: each read or write is one packet."""
        return self.fd

    def getsockname(self) -> tuple[str, int]:
        """The address that clients connect to."""
        return FAR, self.port

    def close(self) -> None:
        """Close the descriptor here."""
        os.close(self.fd)


def open_device() -> TunDevice:
    """The wire's interface between NEAR and FAR, up and ready.

    The process must have entered a network of its own (econnlab.lab.namespace). That needs CAP_NET_ADMIN,
    which ordinary users lose at exec(2), so children get the descriptor instead.

    Raises EnvironmentProblem if there is no TUN device or this user may not use it.
    """
    try:
        fd = os.open(_PATH, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise _cannot_open(error) from error
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, fd)
        try:
            fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", _NAME.encode(), _IFF_TUN | _IFF_NO_PI))
            set_address(_NAME, NEAR, _NETMASK)
            set_mtu(_NAME, _MTU)
            set_queue(_NAME, _QUEUE)
            bring_up(_NAME)
        except OSError as error:
            raise EnvironmentProblem(
                f"The wire's network interface {_NAME} cannot be made: {error.strerror}.",
                "It needs a network of the run's own, in which this process has CAP_NET_ADMIN.",
            ) from error
        stack.pop_all()
    return TunDevice(fd)


def _cannot_open(error: OSError) -> EnvironmentProblem:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return EnvironmentProblem(
            f"This system has no TUN device ({_PATH}), through which the wire delays packets.",
            "Load it (sudo modprobe tun); for a container, start it with --device /dev/net/tun.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EnvironmentProblem(
            f"This user may not open {_PATH}, through which the wire delays packets.",
            f"Allow it (sudo chmod 666 {_PATH}, most distributions' default), or run it as root.",
        )
    return EnvironmentProblem(
        f"{_PATH}, through which the wire delays packets, cannot be opened: {error.strerror}.",
        "See dmesg, or run it without the wire.",
    )

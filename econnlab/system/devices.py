"""Network interfaces in a namespace of our own: netdevice(7). Linux only."""

from __future__ import annotations

import fcntl
import os
import socket
import struct

# linux/sockios.h, linux/if.h
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_SIOCSIFADDR = 0x8916
_SIOCSIFNETMASK = 0x891C
_SIOCSIFMTU = 0x8922
_IFF_UP = 0x1
# linux/netlink.h, linux/rtnetlink.h, linux/if_link.h
_NLM_F_REQUEST = 0x1
_NLM_F_ACK = 0x4
_RTM_SETLINK = 19
_IFLA_TXQLEN = 13


def bring_up(name: str) -> None:
    """Switch ``name`` on. Raises OSError: ENODEV for an unknown one, EPERM without CAP_NET_ADMIN."""
    (flags,) = struct.unpack_from("h", _ask(_SIOCGIFFLAGS, name, b""), 16)
    _ask(_SIOCSIFFLAGS, name, struct.pack("h", flags | _IFF_UP))


def set_address(name: str, host: str, netmask: str) -> None:
    """Give ``name`` this IPv4 address. Raises OSError."""
    for request, value in ((_SIOCSIFADDR, host), (_SIOCSIFNETMASK, netmask)):
        _ask(request, name, struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(value)))


def set_mtu(name: str, mtu: int) -> None:
    """Set the longest packet of ``name`` in bytes. Raises OSError."""
    _ask(_SIOCSIFMTU, name, struct.pack("i", mtu))


def set_queue(name: str, packets: int) -> None:
    """Set how many packets may wait in ``name`` to be sent. Raises OSError.

    This uses rtnetlink(7), because the ioctl needs CAP_NET_ADMIN over the whole machine (dev_ioctl()).
    """
    link = struct.pack("BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex(name), 0, 0)
    link += struct.pack("HHI", 8, _IFLA_TXQLEN, packets)
    header = struct.pack("IHHII", 16 + len(link), _RTM_SETLINK, _NLM_F_REQUEST | _NLM_F_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(header + link)
        (refused,) = struct.unpack_from("i", sock.recv(4096), 16)
    if refused:
        raise OSError(-refused, os.strerror(-refused))


def _ask(request: int, name: str, value: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock.fileno(), request, struct.pack("16s24s", name.encode(), value))

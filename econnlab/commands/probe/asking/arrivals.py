"""When bytes arrived by the kernel's timestamp, however late the process was woken."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
from dataclasses import replace

from econnlab.commands.probe.asking.loop import Woken

#: socket(7), SO_TIMESTAMPNS; Python has no name for it. Linux stamps what TCP received since 4.14
#: (net/ipv4/tcp.c: tcp_recv_timestamp); a FIN is no data and has no stamp.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
_NS = 1_000_000_000
#: No process is kept from reading for longer than this.
_LONGEST_S = 5.0


class Arrivals:
    """The reading side of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._stamped = False
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                self._stamped = True

    def read(self, size: int, woken: Woken) -> tuple[bytes, Woken]:
        """Up to ``size`` bytes, and when the last of them arrived, at most as late as ``woken``. Raises
        OSError.
        """
        if not self._stamped:
            return self._sock.recv(size), woken
        data, ancillary, _, _ = self._sock.recvmsg(size, _ROOM)
        # The offset of the two clocks lies between these readings, even if the process is interrupted there.
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        real = time.clock_gettime_ns(time.CLOCK_REALTIME)
        monotonic = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for level, kind, stamp in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(stamp) == _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack(stamp)
                at = (monotonic - (real - seconds * _NS - nanoseconds)) / _NS
                # A time in the future, or too long ago, means that the clock was set.
                if woken.at - _LONGEST_S <= at <= monotonic / _NS:
                    return data, replace(woken, at=at, slack=(monotonic - before) / _NS)
        return data, woken

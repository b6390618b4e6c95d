"""How long a connection has been idle, as its server and the middleboxes see it."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

#: struct tcp_info of linux/tcp.h: tcpi_last_data_sent and, 4 bytes after it, tcpi_last_data_recv, in ms.
_TCP_INFO = struct.Struct("44xI4xI")
_KNOWS_TCP_INFO = sys.platform == "linux" and hasattr(socket, "TCP_INFO")
#: The kernel counts these in ticks of 1 to 10 ms (HZ is 1000 to 100): they may be ahead by as much.
_TICK_S = 0.010


def _clock_for_suspend() -> Callable[[], float]:
    # Linux: clock_gettime(2). macOS: LLVM's D74341 says that CLOCK_MONOTONIC_RAW runs on during sleep.
    name = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC_RAW"}.get(sys.platform, "")
    number = getattr(time, name, None)
    return time.monotonic if number is None else partial(time.clock_gettime, number)


#: Seconds on a clock that never goes back and keeps running while the machine is suspended, as the server's
#: does; time.monotonic if the system has no such clock.
clock = _clock_for_suspend()


def idle_s(sock: Any, since: float) -> float:
    """Seconds since the last byte on ``sock`` arrived or left, by the kernel; at least since ``since``.

    The server's timer runs while a client that is busy with something else has not yet read the response.
    """
    return max(clock() - since, _kernel_idle_s(sock) - _TICK_S)


def _kernel_idle_s(sock: Any) -> float:
    """How long ``sock`` has carried no data in either direction (tcp(7), TCP_INFO); 0 if that is unknown."""
    if not _KNOWS_TCP_INFO:
        return 0.0
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        return float(min(_TCP_INFO.unpack(info))) / 1000
    except (
        OSError,
        AttributeError,
        struct.error,
    ):  # not TCP; pyOpenSSL, or TLS inside TLS; an unusual kernel
        return 0.0

"""The warm process: see econnlab.lab.warm. It has one thread, so that its forks are complete.

Orders come as JSON Lines on a socket that is its stdin; it answers each. ``{"module": ..., "numbers":
[...]}`` comes with the descriptors of stdin, stdout, stderr, one that the fork holds until its end, and one
for each of ``numbers``. ``{"reap": pid}`` asks for an exit code. It ends when the socket closes.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from econnlab.discovery import parts
from econnlab.lab.limits import raise_descriptors

#: What most forks need.
_MODULES = ("econnlab.server.__main__", "econnlab.link.__main__")
_STANDARD = 3
_MOST = 16


def main() -> None:
    """Import what forks need, and fork as ordered."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    raise_descriptors()
    for module in _MODULES:
        importlib.import_module(module)
    parts("econnlab.server.when_full")
    gc.collect()
    gc.freeze()  # a collection in a fork copies no page
    for order, descriptors in _orders(control):
        answer = _reaped(order["reap"]) if "reap" in order else _forked(order, descriptors)
        control.sendall(json.dumps(answer).encode() + b"\n")


def _orders(control: socket.socket) -> Iterator[tuple[dict[str, Any], list[int]]]:
    buffer, descriptors = b"", []
    while True:
        data, came, _, _ = socket.recv_fds(control, 65536, _MOST)
        if not data:
            return
        buffer += data
        descriptors += came
        if buffer.endswith(b"\n"):
            yield json.loads(buffer), descriptors
            buffer, descriptors = b"", []


def _reaped(pid: int) -> dict[str, int]:
    return {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}


def _forked(order: dict[str, Any], descriptors: list[int]) -> dict[str, int | None]:
    try:
        pid = os.fork()
        if pid == 0:
            _become(order, descriptors)  # does not return
        return {"pid": pid}
    except OSError as error:
        return {"errno": error.errno}
    finally:
        for fd in descriptors:
            os.close(fd)


def _become(order: dict[str, Any], descriptors: list[int]) -> None:
    """In a fork: run the module, and exit."""
    code = 1
    try:
        _take_over(descriptors, order["numbers"])
        importlib.import_module(order["module"]).main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # the fork must not clean up what the warm process owns


def _take_over(descriptors: list[int], numbers: list[int]) -> None:
    """Make ``descriptors`` 0, 1, 2 and ``numbers``, and close all others but the one to hold."""
    above = max(_STANDARD, *numbers, *descriptors) + 1
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, above) for fd in descriptors]
    os.closerange(_STANDARD, above)
    del high[_STANDARD]  # the one to hold
    for fd, number in zip(high, [0, 1, 2, *numbers], strict=True):
        os.dup2(fd, number)
        os.close(fd)

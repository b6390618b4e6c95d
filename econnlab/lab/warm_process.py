"""The warm process: see econnlab.lab.warm. It has one thread, so that its forks are whole.

Orders come as JSON Lines on a socket that is its stdin, one at a time; each is answered. One is ``{"module":
..., "numbers": [...]}``, with the descriptors of stdin, stdout, stderr, of where to report the end, and one
for each of ``numbers``; the other ``{"kill": pid}``. It ends when the socket closes: whoever started it is
gone then.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

from econnlab.discovery import parts
from econnlab.lab.limits import raise_descriptors

#: What most stages need.
_MODULES = ("econnlab.server", "econnlab.link")
_STANDARD = 3
_MOST = 16


class WarmProcess:
    """Forks as ordered, and reports how each fork ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reports: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def run(self) -> None:
        """Until the socket closes."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._woken, select.POLLIN)
        buffer = b""
        descriptors: list[int] = []
        while True:
            ready = [fd for fd, _ in poller.poll()]
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, 4096)
                self._reap()
            if self._control.fileno() in ready:
                data, came, _, _ = socket.recv_fds(self._control, 65536, _MOST)
                if not data:
                    return
                buffer += data
                descriptors += came
                if buffer.endswith(b"\n"):
                    order, given = json.loads(buffer), descriptors
                    buffer, descriptors = b"", []
                    self._obey(order, given)

    def _obey(self, order: dict[str, Any], descriptors: list[int]) -> None:
        if "kill" in order:
            if order["kill"] in self._reports:
                os.kill(order["kill"], signal.SIGKILL)
            self._answer({})
            return
        try:
            pid = os.fork()
        except OSError as error:
            for fd in descriptors:
                os.close(fd)
            self._answer({"errno": error.errno})
            return
        if pid == 0:
            _become(order, descriptors)  # does not return
        report = descriptors.pop(_STANDARD)
        for fd in descriptors:
            os.close(fd)
        self._reports[pid] = report
        self._answer({"pid": pid})

    def _answer(self, answer: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(answer).encode() + b"\n")

    def _reap(self) -> None:
        for pid, report in list(self._reports.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._reports[pid]
                with contextlib.suppress(BrokenPipeError):
                    os.write(report, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(report)


def _become(order: dict[str, Any], descriptors: list[int]) -> None:
    """In a fork: be the process that ``order`` asks for, to its end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _take_over(descriptors, order["numbers"])
        importlib.import_module(f"{order['module']}.__main__").main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # no more than it said: what the warm process has open is not the fork's to end


def _take_over(descriptors: list[int], numbers: list[int]) -> None:
    """Have ``descriptors`` as 0, 1, 2 and ``numbers``, and nothing else open but the report."""
    above = max(_STANDARD, *numbers, *descriptors) + 1
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, above) for fd in descriptors]
    os.closerange(_STANDARD, above)
    del high[_STANDARD]  # stays open until the fork's end, which it thereby tells where nobody else can
    for fd, number in zip(high, [0, 1, 2, *numbers], strict=True):
        os.dup2(fd, number)
        os.close(fd)


def main() -> None:
    """Load what forks need, and fork as stdin orders."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    raise_descriptors()
    for module in _MODULES:
        importlib.import_module(f"{module}.__main__")
    parts("econnlab.server.when_full")
    gc.collect()
    gc.freeze()  # so that collecting in a fork copies nothing
    WarmProcess(control).run()

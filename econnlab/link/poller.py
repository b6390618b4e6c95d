"""Readiness of sockets, with errors reported even if neither reading nor writing is asked for.

selectors cannot do that, and a relay needs it: after a FIN it has nothing to read, but must see a later RST.
"""

from __future__ import annotations

import math
import select
from collections.abc import Callable

from econnlab.system.precise import wait_readable

READ = select.POLLIN
WRITE = select.POLLOUT
ERROR = select.POLLERR | select.POLLHUP | select.POLLNVAL

#: epoll_wait(2) may be this late, because its timeout is rounded up to milliseconds.
COARSE_S = 0.002

Handler = Callable[[int], None]


class Poller:
    """epoll, or poll(2) on systems without it; the masks are the same (poll(2), epoll_ctl(2))."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._poll = None if self._epoll else select.poll()
        self._handlers: dict[int, Handler] = {}

    def watch(self, fd: int, mask: int, handler: Handler) -> None:
        """Call ``handler`` with what is ready of ``mask``, or with an ERROR."""
        known = fd in self._handlers
        self._handlers[fd] = handler
        poller = self._epoll or self._poll
        assert poller is not None
        if known:
            poller.modify(fd, mask)
        else:
            poller.register(fd, mask)

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``, if it is watched."""
        if self._handlers.pop(fd, None) is not None:
            poller = self._epoll or self._poll
            assert poller is not None
            poller.unregister(fd)

    def wait(self, timeout: float | None) -> None:
        """Wait at most ``timeout`` seconds, then call the handlers of what is ready."""
        for fd, mask in self._ready(timeout):
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(mask)

    def _ready(self, timeout: float | None) -> list[tuple[int, int]]:
        if self._epoll is not None:
            if timeout is None:
                return self._epoll.poll()
            if timeout > COARSE_S:
                # Wake early enough for a precise wait: what comes earlier then costs one call, not two.
                return self._epoll.poll(timeout - COARSE_S)
            if timeout > 0:
                wait_readable(self._epoll.fileno(), timeout)
            return self._epoll.poll(0)
        assert self._poll is not None
        return self._poll.poll(None if timeout is None else math.ceil(timeout * 1000))

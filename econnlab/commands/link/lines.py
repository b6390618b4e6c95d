"""Reads lines from stdin in a thread. The end of stdin ends nothing else."""

from __future__ import annotations

import errno
import os
import select
import threading
from collections.abc import Callable

STDIN_FD = 0
#: How often it checks whether the terminal belongs to us again, in seconds.
LOOK_S = 0.2
#: Of a longer line only this many bytes are passed on, which the parser rejects; the rest is discarded.
LONGEST = 4096


class Lines:
    """A context manager: inside it each line that comes is passed to ``take``, in another thread."""

    def __init__(self, take: Callable[[str], None], fd: int = STDIN_FD) -> None:
        self._take = take
        self._fd = fd

    def __enter__(self) -> Lines:
        self._wake, self._wake_from = os.pipe()
        self._thread = threading.Thread(target=self._read, name="econnlab-lines", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._wake_from)
        self._thread.join()
        os.close(self._wake)

    def _read(self) -> None:
        unfinished, too_long = b"", False
        while self._wait():
            try:
                chunk = os.read(self._fd, LONGEST)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    continue
                return  # EBADF: there is no stdin; EIO: the terminal is gone
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            if too_long and lines:
                lines, too_long = lines[1:], False
            if too_long:
                unfinished = b""
            elif not chunk or len(unfinished) > LONGEST:
                lines, unfinished, too_long = [*lines, unfinished], b"", True
            for line in lines:
                if text := line.decode("utf-8", "replace").strip():
                    self._take(text)
            if not chunk:
                return

    def _wait(self) -> bool:
        """Whether there is something to read; False at the end."""
        while True:
            try:
                # Reading a terminal that another job holds would stop this process (SIGTTIN).
                wanted = [self._fd] if self._ours() else []
                ready, _, _ = select.select([self._wake, *wanted], [], [], None if wanted else LOOK_S)
            except (OSError, ValueError):
                return False
            if self._wake in ready:
                return False
            if ready and self._ours():
                return True

    def _ours(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:  # not a terminal, or not our controlling one
            return True

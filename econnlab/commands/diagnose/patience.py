"""stdin, read until Ctrl-C and a moment longer: tcpdump, stopped as well, writes then what it still has."""

from __future__ import annotations

import io
import os
import select
import time
from typing import BinaryIO, cast

from econnlab.cli.interrupts import Interrupts

#: How often to look whether the user has asked to stop, and how long the other end has then to finish, s.
_LOOK_S, _GRACE_S = 0.1, 0.3


def patient(stream: BinaryIO, stop: Interrupts) -> BinaryIO:
    """``stream``, which ends soon after the user has asked to stop; as it is if it has no descriptor."""
    try:
        return cast("BinaryIO", Patient(stream.fileno(), stop))
    except OSError:  # io.UnsupportedOperation: bytes in memory
        return stream


class Patient(io.RawIOBase):
    """A stream that ends when the other end does, or soon after the user has asked to stop."""

    def __init__(self, fd: int, stop: Interrupts) -> None:
        self._fd = fd
        self._stop = stop
        self._until: float | None = None

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As os.read does; 0 at the end."""
        while not select.select([self._fd], [], [], _LOOK_S)[0]:
            if self._is_over():
                return 0
        if self._is_over():
            return 0
        data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _is_over(self) -> bool:
        if not self._stop.happened:
            return False
        if self._until is None:
            self._until = time.monotonic() + _GRACE_S
        return time.monotonic() > self._until

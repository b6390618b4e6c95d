"""The writing side of a ledger, inside the server's and the link's process."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from econnlab.record.events import Kind
from econnlab.system.clock import now


class Ledger:
    """Collects events as JSON Lines and hands them on in batches.

    Writing each line by itself would cost a system call in the middle of what is measured, so lines
    wait until ``flush``; ``on_first`` is called when one begins to wait, so that the owner's event
    loop can plan that flush.
    """

    def __init__(self, source: str, write: Callable[[bytes], None], on_first: Callable[[], None]) -> None:
        self._source = source
        self._write = write
        self._on_first = on_first
        self._lines: list[str] = []

    def event(
        self, kind: str, connection: int | None = None, at: float | None = None, **details: Any
    ) -> None:
        """Enter what happened ``at`` (now, where it is not given)."""
        line = {"at": now() if at is None else at, "source": self._source, "kind": kind}
        if connection is not None:
            line["connection"] = connection
        for key, value in details.items():
            if value is not None:
                line[key] = value
        self._lines.append(json.dumps(line))
        if len(self._lines) == 1:
            self._on_first()

    def sync(self, number: str) -> None:
        """Answer whoever asks that everything up to now be handed on."""
        self.event(Kind.SYNC, reason=number)
        self.flush()

    def flush(self) -> None:
        """Hand on every line that waits."""
        if self._lines:
            batch = "\n".join([*self._lines, ""]).encode()
            self._lines.clear()
            self._write(batch)


def write_all(fd: int, data: bytes) -> None:
    """Write ``data`` whole to a blocking ``fd``; to nobody, where the parent that read it has gone."""
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(fd, view) :]

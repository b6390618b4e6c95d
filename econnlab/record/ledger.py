"""The writing side of a ledger, inside the server's and the link's process."""

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from econnlab.record.events import Kind
from econnlab.system.clock import now


class Ledger:
    """Collects events as JSON Lines and hands them on in batches.

    A write for each line would cost a system call in the middle of what is measured, so lines wait for
    ``flush``; ``on_first`` is called for the first that waits, so that the owner can plan the flush.
    """

    def __init__(self, source: str, write: Callable[[bytes], None], on_first: Callable[[], None]) -> None:
        self._source = source
        self._write = write
        self._on_first = on_first
        self._lines: list[str] = []

    def event(
        self, kind: str, connection: int | None = None, at: float | None = None, **details: Any
    ) -> None:
        """Enter what happened ``at`` that time, by default now."""
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
        """Answer the parent's question that everything up to now has been handed on."""
        self.event(Kind.SYNC, reason=number)
        self.flush()

    def flush(self) -> None:
        """Hand on every line that waits."""
        if self._lines:
            batch = "\n".join([*self._lines, ""]).encode()
            self._lines.clear()
            self._write(batch)


def write_all(fd: int, data: bytes) -> None:
    """Write all of ``data`` to a blocking ``fd``; does nothing if the parent, which read it, has gone."""
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(fd, view) :]

"""Stops a client's process for a while and continues it, as AWS Lambda freezes a function."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable

from econnlab.lab.limits import start_thread
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.system.clock import now


class Freezer:
    """Stops a process group once, for ``for_s`` seconds. ``close`` continues it at once."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._events: list[ConnectionEvent] = []
        self._thread: threading.Thread | None = None
        #: Set when the run is over.
        self.over = threading.Event()

    def freeze(self, group: int, when: Callable[[], bool] = lambda: True) -> None:
        """Stop ``group`` as soon as ``when`` has returned True, in a thread of its own."""
        self._thread = threading.Thread(
            target=self._freeze, args=(group, when), name="econnlab-freezer", daemon=True
        )
        start_thread(self._thread)

    def close(self) -> None:
        """Continue what is stopped, and stop nothing more."""
        self.over.set()
        if self._thread is not None and self._thread.ident is not None:
            self._thread.join()

    def take_events(self) -> list[ConnectionEvent]:
        """From when to when it was stopped, once."""
        taken, self._events = self._events, []
        return taken

    def _freeze(self, group: int, when: Callable[[], bool]) -> None:
        if not when() or self.over.is_set():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
            began = now()
            os.killpg(group, signal.SIGSTOP)
            self.over.wait(self._for_s)
            self._events.append(ConnectionEvent(now(), Source.LAB, Kind.FROZEN, began=began))
            os.killpg(group, signal.SIGCONT)

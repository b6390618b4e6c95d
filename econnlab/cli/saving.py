"""``--save``: the record of a run, written while it happens."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from econnlab.cli.outputs import STDOUT, cannot_write
from econnlab.errors import EnvironmentProblem

if TYPE_CHECKING:
    from econnlab.record.attempts import Request
    from econnlab.record.run import Run


class Recorder:
    """Appends to the file ``where``, or nothing where that is None. A context manager."""

    def __init__(self, where: str | None) -> None:
        self._where = where
        self._file: IO[str] | None = sys.stdout if where == STDOUT else None
        self._events_written = 0
        self._begun = False
        if where is not None and where != STDOUT:
            self._was_there = Path(where).exists()
            try:
                # Appending, so that a run that never starts leaves the old record as it was.
                self._file = Path(where).open("a", encoding="utf-8")  # noqa: SIM115 - __exit__ closes it
            except OSError as error:
                raise cannot_write(where, error) from error

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is None or self._where is None or self._where == STDOUT:
            return
        with contextlib.suppress(OSError):  # what could not be written has been told
            self._file.close()
        if not self._begun and not self._was_there:
            Path(self._where).unlink(missing_ok=True)

    def begin(self, run: Run) -> None:
        """Write the first line, in place of what the file held."""
        if self._file is not None:
            from econnlab.record.jsonl import header_line

            self._begun = True
            if self._where != STDOUT and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._file.truncate(0)
            self._write(header_line(run))

    def request(self, request: Request) -> None:
        """Write its attempts."""
        if self._file is not None:
            from econnlab.record.jsonl import request_lines

            self._write(request_lines(request))

    def events(self, run: Run) -> None:
        """Write the events that ``run`` has gained since the last call."""
        if self._file is not None:
            from econnlab.record.jsonl import event_line

            self._write("".join(map(event_line, run.events[self._events_written :])))
            self._events_written = len(run.events)

    def whole(self, run: Run) -> None:
        """Write a run that is over."""
        self.begin(run)
        for request in run.requests:
            self.request(request)
        self.end(run)

    def end(self, run: Run) -> None:
        """Write the rest of the events, and what the kernel counted."""
        self.events(run)
        if self._file is not None:
            from econnlab.record.jsonl import counters_line

            self._write(counters_line(run))

    def _write(self, text: str) -> None:
        assert self._file is not None
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise EnvironmentProblem(
                f"The record {self._where!r} could not be written: {error.strerror}.", "Make room for it."
            ) from error

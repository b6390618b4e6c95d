"""``--save``: the record of a run, written while it happens."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from econnlab.cli.outputs import cannot_write

if TYPE_CHECKING:
    from econnlab.record.attempts import Request
    from econnlab.record.run import Run


class Recorder:
    """Appends to the file ``where``, or nothing where that is None. A context manager."""

    def __init__(self, where: str | None) -> None:
        self._file: IO[str] | None = None
        self._events_written = 0
        if where is not None:
            try:
                # Appending, so that a run that never starts leaves the old record as it was.
                self._file = Path(where).open("a", encoding="utf-8")  # noqa: SIM115 - __exit__ closes it
            except OSError as error:
                raise cannot_write(where, error) from error

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, run: Run) -> None:
        """Write the first line, in place of what the file held."""
        if self._file is not None:
            from econnlab.record.jsonl import header_line

            if self._file.seekable():
                self._file.truncate(0)
            self._file.write(header_line(run))
            self._file.flush()

    def request(self, request: Request) -> None:
        """Write its attempts."""
        if self._file is not None:
            from econnlab.record.jsonl import request_lines

            self._file.write(request_lines(request))
            self._file.flush()

    def events(self, run: Run) -> None:
        """Write the events that ``run`` has gained since the last call."""
        if self._file is not None:
            from econnlab.record.jsonl import event_line

            for event in run.events[self._events_written :]:
                self._file.write(event_line(event))
            self._events_written = len(run.events)
            self._file.flush()

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

            self._file.write(counters_line(run))
            self._file.flush()

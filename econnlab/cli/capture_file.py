"""``--capture FILE`` of a command that stays in the foreground: its packets, written when it ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import IO, BinaryIO

from econnlab.cli.console import say
from econnlab.cli.files import STDOUT, Output, cannot_write, open_output
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.record.events import ConnectionEvent, Kind


class CaptureFile:
    """A context manager; None captures nothing. ``into`` takes the packets, ``write`` makes the file of them.

    Until then they are in a file without a name, which nothing has to remove. ``ensure`` raises
    EnvironmentProblem if this user may not capture; ``copy`` writes such a file's packets to another.
    """

    def __init__(
        self, where: str | None, ensure: Callable[[], None], copy: Callable[[BinaryIO, BinaryIO], None]
    ) -> None:
        self._copy = copy
        self._where = where
        self._output: Output | None = None
        self._file: IO[bytes] | None = None
        if where is None:
            return
        if where == STDOUT:
            raise UsageProblem("A capture is not text.", "Give --capture a file, as run.pcapng.")
        ensure()
        self._output = open_output(where)
        try:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it
        except OSError as error:
            raise cannot_write(tempfile.gettempdir(), error) from error

    def __enter__(self) -> CaptureFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._output is not None:
            self._output.discard()

    @property
    def into(self) -> int | None:
        """The descriptor that takes the packets."""
        return None if self._file is None else self._file.fileno()

    def note(self, event: ConnectionEvent) -> None:
        """Say what ``event``, the capture's last, tells of packets that are missing."""
        if event.kind != Kind.CAPTURED:
            return
        if event.errno is not None:
            say(f"The capture ends early: its packets could not be written ({event.errno}).", "yellow")
        elif event.dropped:
            say(f"The capture lacks {event.dropped} packets, which came too fast.", "yellow")

    def write(self) -> None:
        """Write FILE, once the capture has ended."""
        if self._output is None:
            return
        try:
            self._output.write_with(self._fill)
        except OSError as error:
            raise EnvironmentProblem(
                f"The capture {self._where!r} could not be written: {error.strerror}.", "Make room for it."
            ) from error

    def _fill(self, stream: BinaryIO) -> None:
        assert self._file is not None
        with os.fdopen(os.dup(self._file.fileno()), "rb") as packets:
            packets.seek(0)
            if packets.peek(1):
                self._copy(packets, stream)

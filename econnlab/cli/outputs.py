"""Files that a command writes beside its table: tried before the run, replaced whole after it.

Each format is a module of a package: report/formats for runs, report/diagnoses for captures,
report/probes for probes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from econnlab.cli.options import FORMATS
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem, UsageProblem

if TYPE_CHECKING:
    from econnlab.explain.packets.diagnosis import Diagnosis
    from econnlab.explain.probing.conclusion import Conclusion
    from econnlab.explain.summary import Summary

STDOUT = "-"


class Outputs:
    """The files a command was asked for. A context manager: what was not written whole leaves no trace."""

    def __init__(self, values: dict[str, Any], formats: str = FORMATS) -> None:
        self._formats = parts(formats)
        asked = {name: values[name] for name in self._formats if values.get(name) is not None}
        _refuse_collisions({**asked, "save": values.get("save"), "capture": values.get("capture")})
        self.on_stdout = STDOUT in (*asked.values(), values.get("save"))
        self._files = {name: open_output(where) for name, where in asked.items() if where != STDOUT}
        self._stdout_format = next((name for name, where in asked.items() if where == STDOUT), None)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.discard()

    def write(self, summary: Summary | Diagnosis | Conclusion) -> None:
        """Render ``summary`` into each of them, also where another one cannot be written."""
        formats = self._formats
        failed: EnvironmentProblem | None = None
        for name, file in self._files.items():
            try:
                file.write(formats[name].render(summary))
            except BrokenPipeError:
                raise
            except OSError as error:
                failed = failed or EnvironmentProblem(
                    f"The {name} file could not be written: {error.strerror}.", "The run itself went well."
                )
        if failed is not None:
            raise failed
        if self._stdout_format is not None:
            sys.stdout.write(formats[self._stdout_format].render(summary))
            sys.stdout.flush()


class Output(Protocol):
    """A file that was tried, and may be written once."""

    def write(self, text: str) -> None:
        """Write ``text``. Raises OSError."""

    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        """Write what ``fill`` does. Raises OSError."""

    def discard(self) -> None:
        """Close it, also where nothing was written."""


class _File:
    """A file that is replaced whole, from a temporary one beside it that lives while it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # the target of a link, not the link, is what is written
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(13, "Permission denied")
        self._temporary().unlink()

    def _temporary(self) -> Path:
        fd, name = tempfile.mkstemp(prefix=".econnlab-", dir=self._path.parent)
        os.close(fd)
        return Path(name)

    def write(self, text: str) -> None:
        self.write_with(lambda stream: _write_text(stream, text))

    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        temporary = self._temporary()
        try:
            with temporary.open("wb") as stream:
                fill(stream)
            temporary.chmod(self._mode())
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)

    def _mode(self) -> int:
        if self._path.exists():
            return self._path.stat().st_mode & 0o777
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def discard(self) -> None:
        """There is nothing to close."""


class _Device:
    """What is there already and is no plain file, as /dev/stdout or a named pipe: written in place."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")

    def write(self, text: str) -> None:
        self.write_with(lambda stream: _write_text(stream, text))

    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        fill(self._stream)
        self._stream.flush()

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written has been told
            self._stream.close()


def _write_text(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode())


def open_output(where: str) -> Output:
    """The file ``where``, tried. Raises EnvironmentProblem."""
    path = Path(where)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        return _Device(path) if _is_device(path) else _File(path)
    except OSError as error:
        raise cannot_write(where, error) from error


def _refuse_collisions(asked: dict[str, str | None]) -> None:
    places = [where if where == STDOUT else str(Path(where).resolve()) for where in asked.values() if where]
    twice = next((where for where in places if places.count(where) > 1), None)
    if twice == STDOUT:
        raise UsageProblem("Only one output fits on stdout.", "Give the others a file.")
    if twice is not None and not _is_device(Path(twice)):
        raise UsageProblem(f"{twice!r} is given for two outputs.", "Give each a file of its own.")


def _is_device(path: Path) -> bool:
    """It is there already and is no plain file, as /dev/stdout or a named pipe."""
    return path.exists() and not path.is_file()


def cannot_write(where: str, error: OSError) -> EnvironmentProblem:
    """The error for a file that was asked for and cannot be had."""
    return EnvironmentProblem(
        f"{where!r} cannot be written: {error.strerror}.",
        "Nothing was run; give another path, or - for stdout.",
    )

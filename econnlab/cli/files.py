"""Files that a command writes: tried before it begins, and never half written or lost.

A finished document replaces its file as a whole (``open_output``); a record grows line by line while a run
goes on (``Appended``).
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Protocol, Self

from econnlab.errors import EnvironmentProblem

STDOUT = "-"


def cannot_write(where: str, error: OSError) -> EnvironmentProblem:
    """The error for a file that was asked for and cannot be opened."""
    return EnvironmentProblem(
        f"{where!r} cannot be written: {error.strerror}.",
        "Nothing was run; give another path, or - for stdout.",
    )


def is_device(path: Path) -> bool:
    """The path exists and is not a regular file: /dev/stdout or a named pipe."""
    return path.exists() and not path.is_file()


# -- documents ------------------------------------------------------------------------------------


class Output(Protocol):
    """A place that was tried, and may be written once."""

    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        """Write what ``fill`` does. Raises OSError."""

    def discard(self) -> None:
        """Close it, even if nothing was written."""


def open_output(where: str) -> Output:
    """The file ``where``, tried. Raises EnvironmentProblem."""
    if where == STDOUT:
        return _Stdout()
    path = Path(where)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        return _Device(path) if is_device(path) else _File(path)
    except OSError as error:
        raise cannot_write(where, error) from error


class _File:
    """A file that is replaced whole, by renaming a temporary file beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # a symbolic link stays; its target is replaced
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(13, "Permission denied")
        self._temporary().unlink()

    def _temporary(self) -> Path:
        fd, name = tempfile.mkstemp(prefix=".econnlab-", dir=self._path.parent)
        os.close(fd)
        return Path(name)

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
    """A device or a named pipe, written in place."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")

    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        fill(self._stream)
        self._stream.flush()

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # the user has been told what could not be written
            self._stream.close()


class _Stdout:
    def write_with(self, fill: Callable[[BinaryIO], None]) -> None:
        whole = io.BytesIO()
        fill(whole)
        sys.stdout.write(whole.getvalue().decode())
        sys.stdout.flush()

    def discard(self) -> None:
        """Stdout stays open."""


# -- records --------------------------------------------------------------------------------------


class Appended:
    """The file ``where``, written line by line while something runs; None writes nothing. A context manager.

    The file keeps its old content until ``begin``, so that a command that never starts destroys nothing. It
    is locked: a second command with the same file is refused.
    """

    def __init__(self, where: str | None) -> None:
        self._where = where
        self._file: IO[str] | None = sys.stdout if where == STDOUT else None
        self._created = self._begun = False
        if where is not None and where != STDOUT:
            self._created = not Path(where).exists()
            try:
                self._file = Path(where).open("a", encoding="utf-8")  # noqa: SIM115 - __exit__ closes it
            except OSError as error:
                raise cannot_write(where, error) from error
            _lock(self._file, where)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is None or self._where is None or self._where == STDOUT:
            return
        with contextlib.suppress(OSError):  # the user has been told what could not be written
            self._file.close()
        if self._created and not self._begun:
            Path(self._where).unlink(missing_ok=True)

    @property
    def wanted(self) -> bool:
        """Someone asked for the file."""
        return self._file is not None

    def begin(self) -> None:
        """Remove the old content: what follows replaces it."""
        self._begun = True
        if self._file is not None and self._where != STDOUT and not is_device(Path(self._where or "")):
            self._file.truncate(0)

    def write(self, text: str) -> None:
        """Append ``text`` and flush it. Raises EnvironmentProblem, BrokenPipeError."""
        if self._file is None:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise EnvironmentProblem(
                f"{self._where!r} could not be written: {error.strerror}.", "Make room for it."
            ) from error


def _lock(file: IO[str], where: str) -> None:
    if is_device(Path(where)):
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise EnvironmentProblem(
            f"Another command is writing {where!r} now.", "Give each command a file of its own."
        ) from None
    except OSError:  # a file system without locks
        return

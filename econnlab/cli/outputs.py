"""What a command writes beside its screen: a file for each format that was asked for.

A format is one module of a room's package of formats: its name is the option, ``HELP`` the option's help,
and ``render(result)`` returns the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from econnlab.cli.console import LabConsole, console
from econnlab.cli.files import STDOUT, Output, is_device, open_output
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem, UsageProblem


@dataclass(frozen=True)
class Files:
    """Where a command is to write what."""

    #: The package of the formats.
    package: str
    #: The file for each format that was asked for, by the format's name.
    formats: Mapping[str, str] = field(default_factory=dict)
    save: str | None = None
    capture: str | None = None
    #: Draw failures on the screen, from the packets.
    timeline: bool = False

    def __post_init__(self) -> None:
        places = [where for where in self._places() if where == STDOUT or not is_device(Path(where))]
        once = [where if where == STDOUT else str(Path(where).resolve()) for where in places]
        twice = next((where for where in once if once.count(where) > 1), None)
        if twice == STDOUT:
            raise UsageProblem("Only one output fits on stdout.", "Give the others a file.")
        if twice is not None:
            raise UsageProblem(f"{twice!r} is given for two outputs.", "Give each a file of its own.")

    def _places(self) -> list[str]:
        return [where for where in (*self.formats.values(), self.save, self.capture) if where is not None]

    @property
    def on_stdout(self) -> bool:
        """One of them goes to stdout; the screen then moves to stderr."""
        return STDOUT in self._places()

    def split(self, other: str) -> tuple[Files, Files]:
        """Those that the own package can write, and those that only the package ``other`` can."""
        own = parts(self.package)
        return (
            replace(self, formats={name: where for name, where in self.formats.items() if name in own}),
            Files(other, {name: where for name, where in self.formats.items() if name not in own}),
        )

    def refuse_inputs(self, read: Iterable[str | None]) -> None:
        """Raise UsageProblem if a file that the command reads is one that it is to write."""
        inputs = {str(Path(each).resolve()) for each in read if each is not None and each != STDOUT}
        for where in self._places():
            if where != STDOUT and not is_device(Path(where)) and str(Path(where).resolve()) in inputs:
                raise UsageProblem(
                    f"{where!r} is read, and would be overwritten.", "Give the output another file."
                )


class Outputs:
    """The files of ``Files``, tried at once and written by ``write``. A context manager.

    ``reads`` are files that the command reads, so that none of them is overwritten.
    """

    def __init__(self, files: Files, reads: Iterable[str | None] = ()) -> None:
        files.refuse_inputs(reads)
        self._formats = parts(files.package)
        self.on_stdout = files.on_stdout
        # Stdout last: whatever happens there, the files are written.
        ordered = sorted(files.formats.items(), key=lambda item: item[1] == STDOUT)
        self._outputs = {name: open_output(where) for name, where in ordered}

    @property
    def screen(self) -> LabConsole:
        """The console for what people read: stdout, or stderr if a file goes to stdout."""
        return console(stderr=self.on_stdout)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_: object) -> None:
        for output in self._outputs.values():
            output.discard()

    def write(self, result: object) -> None:
        """Render ``result`` into each file, even if another one fails. Raises the first error."""
        failed: Exception | None = None
        for name, output in self._outputs.items():
            try:
                self._write(name, output, result)
            except (BrokenPipeError, EnvironmentProblem) as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _write(self, name: str, output: Output, result: object) -> None:
        content = self._formats[name].render(result).encode()

        def fill(stream: object) -> None:
            stream.write(content)  # type: ignore[attr-defined]

        try:
            output.write_with(fill)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise EnvironmentProblem(
                f"The {name} output could not be written: {error.strerror}.", "The run itself went well."
            ) from error

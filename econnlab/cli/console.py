"""Where text goes and how: one place for streams, width, colour, and text from outside.

rich honours NO_COLOR, FORCE_COLOR and TERM by itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

#: The width of tables without a terminal.
PLAIN_WIDTH = 120


class LabConsole(Console):
    """A rich Console that raises BrokenPipeError instead of ending the process.

    A command writes its files and lets the error pass; ``cli/main.py`` turns it into exit code 141.
    """

    @property
    def fixed(self) -> bool:
        """The output has a width of its own: a terminal's, or that in COLUMNS."""
        return self.file.isatty() or "COLUMNS" in os.environ

    def text(self, text: RenderableType) -> None:
        """Print lines of text. They wrap between words if the width is fixed; in a file they stay whole."""
        if isinstance(text, str):
            text = Text(text)
        shown = Hanging(text) if isinstance(text, Text) else text
        self.print(shown, soft_wrap=not self.fixed)

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich when the stream's reader has gone."""
        self.quiet = True
        # What is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise BrokenPipeError


@dataclass(frozen=True)
class Hanging:
    """Lines of text that wrap between words; the rest of a line is indented as its beginning."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        if options.no_wrap:
            yield self.text
            return
        for line in self.text.split("\n", allow_blank=True):
            indent = min(len(line.plain) - len(line.plain.lstrip()), options.max_width // 2)
            for part in line[indent:].wrap(console, options.max_width - indent):
                part.rstrip()
                yield Text(" " * indent).append_text(part)


def console(*, stderr: bool = False) -> LabConsole:
    """A console on stdout or stderr, as wide as the terminal, or PLAIN_WIDTH without one."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return LabConsole(file=stream, stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "dim", paste: str = "") -> None:
    """Print a note on stderr, and a command to paste below it, in one line.

    If stderr takes nothing, the command goes on without.
    """
    with contextlib.suppress(OSError):
        notes = console(stderr=True)
        notes.text(Text(text, style))
        if paste:
            notes.print(f"  {paste}", soft_wrap=True)

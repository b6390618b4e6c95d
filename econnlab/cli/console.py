"""Where text goes and how: one place for streams, width, colour, and text from outside.

rich honours NO_COLOR, FORCE_COLOR and TERM by itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, NoReturn

from rich.console import Console

#: The width of tables without a terminal.
PLAIN_WIDTH = 120


class LabConsole(Console):
    """A rich Console that raises BrokenPipeError instead of ending the process.

    A command writes its files and lets the error pass; ``cli/main.py`` turns it into exit code 141.
    """

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich when the stream's reader has gone."""
        self.quiet = True
        # What is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise BrokenPipeError


def console(*, stderr: bool = False) -> LabConsole:
    """A console on stdout or stderr, as wide as the terminal, or PLAIN_WIDTH without one."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return LabConsole(file=stream, stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def say(text: Any, style: str = "dim") -> None:
    """Print a note on stderr; if it takes nothing, the command goes on without."""
    with contextlib.suppress(OSError):
        console(stderr=True).print(text, style=style, soft_wrap=True)

"""Where text goes and how: one place for streams, width, colour, and what comes from outside.

rich honours NO_COLOR, FORCE_COLOR and TERM by itself.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from rich.console import Console

#: The width of tables where there is no terminal to fit.
PLAIN_WIDTH = 120


class OutputClosed(Exception):
    """Whoever read our output has gone, as ``head`` does."""


class LabConsole(Console):
    """A rich Console that raises OutputClosed instead of ending the process."""

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich when the stream's reader has gone."""
        self.quiet = True
        # What is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise OutputClosed


def console(*, stderr: bool = False) -> LabConsole:
    """A console on stdout or stderr, as wide as the terminal, or PLAIN_WIDTH where there is none."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return LabConsole(file=stream, stderr=stderr, width=width, highlight=False, markup=False, emoji=False)

"""What ``explain`` does: find the words and print their pages."""

from __future__ import annotations

import sys

from econnlab.cli.outputs import STDOUT
from econnlab.errors import ExitCode
from econnlab.explain.glossary import LONGEST_TEXT, find, words
from econnlab.report.console import OutputClosed, console
from econnlab.report.glossary import word_list, word_page


def explain(text: str) -> int:
    """Print the pages of what ``text`` speaks of, or the list of all words. Returns the exit code."""
    if text == STDOUT:
        text = sys.stdin.read(LONGEST_TEXT)
    screen = console()
    try:
        if not text.strip():
            screen.print(word_list(words()))
            return ExitCode.OK
        for number, word in enumerate(find(text)):
            if number:
                screen.rule(style="dim")
            screen.print(word_page(word))
    except OutputClosed:
        return ExitCode.PIPE_CLOSED
    return ExitCode.OK

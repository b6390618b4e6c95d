"""The glossary, asked from the command line."""

from __future__ import annotations

import sys

from econnlab.cli.console import console
from econnlab.commands.explain.glossary import look_up, words
from econnlab.commands.explain.report import listing, page
from econnlab.errors import ExitCode, UsageProblem

STDIN = "-"
#: More than any error; the root stands at the end of a traceback, so the end is kept.
_LONGEST = 20_000


def explain_words(text: str) -> int:
    """Print what is known of ``text``; of everything where it is empty. Returns the exit code."""
    if text == STDIN:
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
        if not text.strip():
            raise UsageProblem("Nothing came on stdin.", "Pipe the error line into it.")
    screen = console()
    if not text.strip():
        screen.print(listing(words().values()))
        return ExitCode.OK
    for number, word in enumerate(look_up(text[-_LONGEST:])):
        if number:
            screen.print()
            screen.rule(style="dim")
        screen.print(page(word))
    return ExitCode.OK

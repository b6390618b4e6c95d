"""The glossary, asked from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from econnlab.commands.explain.answer import NotUnderstood
from econnlab.commands.explain.explaining import explain
from econnlab.commands.explain.index import index
from econnlab.commands.explain.reading.entries import LONGEST
from econnlab.commands.explain.report import Line, listing, page, refusal
from econnlab.errors import ExitCode, UsageProblem

STDIN = "-"
#: The width where there is no terminal to fit.
_PLAIN_WIDTH = 120
_STYLES = {"bold": "\x1b[1m", "heading": "\x1b[36m"}


def explain_words(text: str, *, as_json: bool) -> int:
    """Print what ``text`` means; every word where it is empty. Returns the exit code."""
    if text == STDIN:
        text = _piped()
    if not text.strip():
        print_lines(listing(index()["words"].values(), width()))
        return ExitCode.OK
    found = explain(text[-LONGEST:])
    if as_json:
        from econnlab.commands.explain.formats.json import render

        sys.stdout.write(render(found))
    elif isinstance(found, NotUnderstood):
        raise UsageProblem(*refusal(found))
    else:
        for number, answer in enumerate(found):
            if number:
                print_lines([Line(""), Line("-" * min(width(), 40)), Line("")])
            print_lines(page(answer, width()))
    return ExitCode.USAGE if isinstance(found, NotUnderstood) else ExitCode.OK


def _piped() -> str:
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not text.strip():
        raise UsageProblem("Nothing came on stdin.", "Pipe the error line into it.")
    return text


def print_lines(lines: Iterable[Line]) -> None:
    """Print ``lines``, coloured on a terminal."""
    coloured = _coloured()
    for line in lines:
        start = _STYLES.get(line.style, "") if coloured else ""
        sys.stdout.write(f"{start}{line.text}\x1b[0m\n" if start else f"{line.text}\n")


def width() -> int:
    """The width of the page. Not by shutil, whose import takes a tenth of ``import click``."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _PLAIN_WIDTH
    except (OSError, ValueError):  # not a terminal
        return _PLAIN_WIDTH


def _coloured() -> bool:
    """As rich decides it for the other commands: NO_COLOR, FORCE_COLOR, TERM."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")

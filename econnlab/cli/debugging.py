"""``--debug``, and what the user reads of a defect in the lab: one line, and where its trace is."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from econnlab.plaintext import harmless


class Debugging:
    """Whether the user asked for traces."""

    wanted = False

    def tell(self, error: Exception) -> str:
        """A sentence on ``error``, an exception that nothing expected; its trace is printed or saved."""
        import traceback

        lines = traceback.format_exception(error)
        said = harmless(f"{type(error).__name__}: {str(error)[:500]}").strip(": ")
        if self.wanted:
            sys.stderr.write("".join(lines))
            return f"econnlab itself failed: {said}"
        return f"econnlab itself failed: {said}. {_saved(''.join(lines))}"


def _saved(trace: str) -> str:
    """Write ``trace`` to a file. Returns a sentence on where it is."""
    import tempfile

    try:
        fd, path = tempfile.mkstemp(prefix="econnlab-trace-", suffix=".txt")
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(trace)
    except OSError:
        return "Run it again with --debug to see the trace."
    return f"The trace is in {path}; --debug prints it. Please report it."


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    settings = ctx.find_root().obj
    if value and isinstance(settings, Debugging):
        settings.wanted = True


def debug_option(function: Any) -> Any:
    """``--debug``, before or behind the command's name."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="Print the trace of an internal error.",
    )(function)

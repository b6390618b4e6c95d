"""The way in and the only way out: every error becomes a sentence and an exit code here."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from econnlab.cli.group import CommandFolder
from econnlab.errors import EconnlabError, ExitCode
from econnlab.plaintext import harmless_lines

EPILOG = """\b
Examples:
  econnlab keepalive --interval 4990     the race between a request and the server's idle timer
  econnlab sweep                         the article's seven intervals, side by side
  econnlab maxconn                       one connection allowed, two clients at the same moment
  econnlab run busy-server               a cause as a scenario, checked; econnlab scenarios lists them
  econnlab remedies                      which fix works, and what it breaks
  econnlab probe http://127.0.0.1:3000/  what your own server does with an idle connection
  econnlab check -- python client.py     does your own client survive?

\b
Exit codes: 0 it ran (a failure reproduced is a success) · 1 an expectation does not hold · 2 usage ·
3 the environment can't · 130 interrupted, after printing and saving what it had · 141 the output's
reader has gone
"""


@click.command(cls=CommandFolder, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="econnlab", message="%(prog)s %(version)s")
def cli() -> None:
    """The lab that reproduces and explains ECONNRESET, "socket hang up", RemoteDisconnected.

    Every failure it shows happened to a real client on a real connection. A bare number of a duration is
    milliseconds; 4990ms, 4.99s and 2m are understood as well.
    """


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _complain(say: Callable[[], None]) -> None:
    # Where stderr takes nothing the exit code has to do.
    with contextlib.suppress(OSError):
        say()


def _forget_stdout() -> None:
    """What is still buffered would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(arguments: list[str] | None = None) -> int:
    """The exit code of the command line ``arguments``."""
    try:
        result: Any = cli.main(arguments, prog_name="econnlab", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        _complain(error.show)
        return error.exit_code
    except EconnlabError as error:
        text = f"Error: {harmless_lines(str(error))}"
        _complain(lambda: click.echo(text, err=True))
        return error.exit_code
    except BrokenPipeError:
        _forget_stdout()
        return ExitCode.PIPE_CLOSED
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _forget_stdout()
        said = f"Error: The output cannot be written: {error.strerror}."
        _complain(lambda: click.echo(said, err=True))
        return ExitCode.ENVIRONMENT
    return result if isinstance(result, int) else ExitCode.OK

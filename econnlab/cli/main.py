"""The way in and the only way out: every error becomes a sentence and an exit code here."""

from __future__ import annotations

import os
import sys
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
  econnlab serve --keepalive-timeout 5s  a server to point your own client at

\b
Exit codes: 0 it ran (a failure reproduced is a success) · 2 usage · 3 the environment can't ·
130 interrupted, after printing and saving what it had
"""


@click.command(cls=CommandFolder, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="econnlab", message="%(prog)s %(version)s")
def cli() -> None:
    """The lab that reproduces and explains ECONNRESET, "socket hang up", RemoteDisconnected.

    Every failure it shows happened to a real client on a real connection. A bare number of a duration is
    milliseconds; 4990ms, 4.99s and 2m are understood as well.
    """


def run(arguments: list[str] | None = None) -> int:
    """The exit code of the command line ``arguments``."""
    try:
        result: Any = cli.main(arguments, prog_name="econnlab", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except EconnlabError as error:
        click.echo(f"Error: {harmless_lines(str(error))}", err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    return result if isinstance(result, int) else ExitCode.OK

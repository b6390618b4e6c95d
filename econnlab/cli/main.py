"""The entry point and the only exit: every error becomes a sentence and an exit code here."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from econnlab.cli.debugging import Debugging, debug_option
from econnlab.cli.group import CommandFolder
from econnlab.errors import NO_MORE_THREADS, EconnlabError, ExitCode, LabFault
from econnlab.plaintext import harmless_lines

EPILOG = """\b
Examples:
  econnlab keepalive --interval 4990     the race between a request and the server's idle timer
  econnlab sweep                         the article's seven intervals, side by side
  econnlab maxconn                       one connection allowed, two clients at the same moment
  econnlab run busy-server               run a scenario and check it; econnlab scenarios lists them
  econnlab remedies                      which fix works, and what it breaks
  econnlab probe http://127.0.0.1:3000/  what your own server does with an idle connection
  econnlab check -- python client.py     does your own client survive?

\b
Exit codes: 0 it ran (a failure reproduced is a success) · 1 an expectation does not hold · 2 usage ·
3 this machine cannot do it · 70 a fault of econnlab itself · 130 interrupted, after printing and saving
what it had · 141 the reader of the output has gone
"""


@click.command(cls=CommandFolder, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="econnlab", message="%(prog)s %(version)s")
@debug_option
def cli() -> None:
    """The lab that reproduces and explains ECONNRESET, "socket hang up", RemoteDisconnected.

    Every failure it shows happened to a real client on a real connection. Durations are in milliseconds;
    4990, 4990ms, 4.99s and 2m are all understood.
    """


#: What CPython says when pthread_create(3) fails, in whatever library.
_NO_THREAD = "can't start new thread"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def run(arguments: list[str] | None = None) -> int:
    """The exit code of the command line ``arguments``."""
    asked = Debugging()
    try:
        result: Any = cli.main(arguments, prog_name="econnlab", standalone_mode=False, obj=asked)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        _complain(error.show)
        return error.exit_code
    except LabFault as fault:
        return _failed(asked.tell(fault), fault.exit_code)
    except EconnlabError as error:
        return _failed(harmless_lines(str(error)), error.exit_code)
    except (BrokenPipeError, SystemExit):  # click's main() makes sys.exit(1) of an EPIPE
        _forget_stdout()
        return ExitCode.PIPE_CLOSED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _forget_stdout()
            return _failed(f"The output cannot be written: {error.strerror}.", ExitCode.ENVIRONMENT)
        if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
            return _failed(NO_MORE_THREADS, ExitCode.ENVIRONMENT)
        return _failed(asked.tell(error), ExitCode.INTERNAL)
    return result if isinstance(result, int) else ExitCode.OK


def _failed(text: str, code: int) -> int:
    _complain(lambda: click.echo(f"Error: {text}", err=True))
    return code


def _complain(say: Callable[[], None]) -> None:
    # If stderr takes nothing, the exit code has to suffice.
    with contextlib.suppress(OSError):
        say()


def _forget_stdout() -> None:
    """Drop what is still buffered: it would fail again at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

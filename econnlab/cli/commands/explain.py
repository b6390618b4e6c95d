"""``econnlab explain``: an error as its user met it."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  econnlab explain                       all words, a line each
  econnlab explain ECONNRESET
  econnlab explain socket hang up
  econnlab explain "curl: (52) Empty reply from server"
  tail -1 app.log | econnlab explain -
"""


@click.command("explain", epilog=EPILOG, short_help="What an error means on the wire, and what to do.")
@click.argument("text", nargs=-1, metavar="[WORD]...")
def command(text: tuple[str, ...]) -> int:
    """Explain an error: what it means on the wire, its likely causes, the scenario that shows it, what to do.

    WORD is a name as ECONNRESET, or a whole line pasted from a log; - reads stdin.
    """
    from econnlab.cli.glossary import explain

    return explain(" ".join(text))

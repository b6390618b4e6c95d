"""``econnlab explain``: an error message, explained in plain words."""

from __future__ import annotations

import click

from econnlab.cli.command import lab_command

EXAMPLES = """
  econnlab explain                               every word, with its meaning in a line
  econnlab explain socket hang up
  econnlab explain curl 52
  econnlab explain "('Connection aborted.', RemoteDisconnected('Remote end closed ...'))"
  tail -1 error.log | econnlab explain -         a log line, a stack trace, an exception chain
  econnlab explain --json - < trace.txt
"""


@lab_command(
    "explain",
    examples=EXAMPLES,
    summary="What an error means on the wire, and what to do.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("word", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answers as one JSON document.")
def command(word: tuple[str, ...], as_json: bool) -> int:
    """Explain WORD: what it means on the wire, its likely causes, the scenario that shows it, and what to do.

    WORD is an error as your client, proxy or balancer spells it, or a whole pasted text: a stack trace, an
    exception chain, a log line. The answer begins with what the text was taken for. Exit code 2: the text
    holds no failure of a connection that the command knows. - reads stdin. Without WORD, the command lists
    all it knows.
    """
    from econnlab.commands.explain.screen import explain_words

    return explain_words(" ".join(word), as_json=as_json)

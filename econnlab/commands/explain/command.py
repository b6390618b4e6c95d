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
  econnlab explain --log access.log.gz           every failure in a log: what, how often, when
  econnlab explain --log app.log --csv
"""


@lab_command(
    "explain",
    examples=EXAMPLES,
    summary="What an error means on the wire, and what to do.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("word", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answers as one JSON document.")
@click.option("--log", "log", metavar="FILE", help="Summarise a whole log, also .gz; - reads stdin.")
@click.option(
    "--format",
    "log_format",
    default="",
    metavar="FORMAT",
    help="With --log: alb, combined, envoy, haproxy, ingress-nginx, text, or the log_format string itself.",
)
@click.option("--csv", "as_csv", is_flag=True, help="With --log: print a row for each group and hour.")
def command(word: tuple[str, ...], as_json: bool, log: str | None, log_format: str, as_csv: bool) -> int:
    """Explain WORD: what it means on the wire, its likely causes, the scenario that shows it, and what to do.

    WORD is an error as your client, proxy or balancer spells it, or a whole pasted text: a stack trace, an
    exception chain, a log line. The answer begins with what the text was taken for. Exit code 2: the text
    holds no failure of a connection that the command knows. - reads stdin. Without WORD, the command lists
    all it knows.
    """
    if log is not None:
        return _log(word, log, log_format, as_json=as_json, as_csv=as_csv)
    if log_format or as_csv:
        raise click.UsageError("--format and --csv are for --log FILE.")
    from econnlab.commands.explain.screen import explain_words

    return explain_words(" ".join(word), as_json=as_json)


def _log(word: tuple[str, ...], file: str, log_format: str, *, as_json: bool, as_csv: bool) -> int:
    if word:
        raise click.UsageError("--log FILE takes no WORD.")
    from econnlab.commands.explain.log.screen import LogOptions, explain_log

    return explain_log(LogOptions(file, log_format, as_json, as_csv))

"""``econnlab remedies``: what helps, how well, and what it breaks."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import DURATION, LINK
from econnlab.errors import UsageProblem

EPILOG = """\b
Examples:
  econnlab remedies                                     the race with the idle timer, every remedy
  econnlab remedies reset-after-processing --method POST
  econnlab remedies keepalive --interval 4995 --sessions 400 --requests 6 --remedy idle-limit
  econnlab remedies maxconn --remedy retry-axios-retry-3 --remedy connection-close
  econnlab remedies --show idle-limit                   the lines to paste, for each client and server
  econnlab remedies --show retry --for axios > retry.cjs
"""


@click.command("remedies", epilog=EPILOG, short_help="Which fix works, how well, and what it breaks.")
@click.argument("scenario", required=False, metavar="[SCENARIO]")
@click.option(
    "--method",
    type=click.Choice(["GET", "HEAD", "POST", "PUT", "DELETE"], case_sensitive=False),
    metavar="METHOD",
    help="GET, HEAD, POST, PUT or DELETE, in place of the scenario's own.",
)
@click.option(
    "--remedy", "remedies", multiple=True, metavar="NAME", help="Only this one; may be given several times."
)
@click.option("--list", "listed", is_flag=True, help="Name the remedies, and run nothing.")
@click.option("--show", metavar="NAME", help="Print the lines to paste for this remedy, and run nothing.")
@click.option("--for", "stack", metavar="STACK", help="With --show: for this client or server alone.")
@click.option("--interval", type=DURATION, help="In place of the scenario's own.")
@click.option("--keepalive-timeout", type=DURATION, help="The lab server's, in place of the scenario's own.")
@click.option("--link", type=LINK, help="In place of the scenario's own.")
@click.option("--sessions", type=options.POSITIVE, metavar="N", help="In place of the scenario's own.")
@click.option("--requests", type=options.POSITIVE, metavar="N", help="In place of the scenario's own.")
@options.run_seed
@click.option(
    "--jobs",
    type=options.POSITIVE,
    metavar="N",
    help="How many run at a time; by default as many as keep time.",
)
@click.option("--save", "folder", metavar="FOLDER", help="Write the record of each run there: REMEDY.jsonl.")
@options.formats_of(options.COMPARISONS)
def command(**values: Any) -> int:
    """Run SCENARIO once per remedy, side by side on equal schedules, and compare them.

    SCENARIO is a name that `econnlab scenarios` lists, keepalive, sweep or maxconn, or a TOML file of yours;
    by default keepalive-race. Its own retries are left out first. The best remedy that is safe for the
    method stands first; what may carry a request out twice is marked with ! and never recommended for POST.
    """
    from econnlab.commands.remedies.screen import compare, list_remedies, show_snippets

    if values["show"] is not None or values["stack"] is not None:
        if values["listed"]:
            raise UsageProblem("--list names every remedy, and --show prints the lines of one.", "Say one.")
        return show_snippets(values["show"], values["stack"])
    if values["listed"]:
        return list_remedies()
    return compare(values)

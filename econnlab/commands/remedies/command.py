"""``econnlab remedies``: what helps, how well, and what it breaks."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.command import EXPERIMENT, OUTPUT, formats, lab_command, option
from econnlab.cli.params import DURATION, INTERVAL, LINK

EXAMPLES = """
  econnlab remedies                                     the race with the idle timer, every remedy
  econnlab remedies reset-after-processing --method POST
  econnlab remedies keepalive --interval 4995 --sessions 400 --requests 6 --remedy idle-limit
  econnlab remedies keepalive-race --client axios --remedy retry-axios-retry-3 --remedy connection-close
  econnlab remedies maxconn --remedy retry-axios-retry-3 --remedy connection-close
  econnlab remedies --show idle-limit                   the lines to paste, for each client and server
  econnlab remedies --show retry --for axios > retry.cjs
"""
_REPLACES = "Replace the scenario's {}."


@lab_command("remedies", examples=EXAMPLES, summary="Which fix works, how well, and what it breaks.")
@click.argument("scenario", required=False, metavar="[SCENARIO]")
@option(
    "--method",
    type=click.Choice(options.METHODS, case_sensitive=False),
    metavar="METHOD",
    group=EXPERIMENT,
    help="GET, HEAD, POST, PUT or DELETE, instead of the scenario's method.",
)
@option(
    "--remedy",
    "remedies",
    multiple=True,
    metavar="NAME",
    help="Try only this remedy; may be repeated.",
)
@option("--list", "listed", is_flag=True, help="List the remedies, and run nothing.")
@option("--show", metavar="NAME", help="Print the lines to paste for this remedy, and run nothing.")
@option(
    "--for",
    "stack",
    metavar="STACK",
    help="With --show: only for this client or server, by any name that timeouts knows.",
)
@option("--interval", "intervals_ms", type=INTERVAL, group=EXPERIMENT, help=_REPLACES.format("interval"))
@option(
    "--keepalive-timeout",
    "keepalive_timeout_ms",
    type=DURATION,
    group=EXPERIMENT,
    help=_REPLACES.format("keep-alive timeout of the lab server"),
)
@options.server
@options.client
@option("--link", type=LINK, group=EXPERIMENT, help=_REPLACES.format("link"))
@option(
    "--sessions",
    type=options.POSITIVE,
    metavar="N",
    group=EXPERIMENT,
    help=_REPLACES.format("number of sessions"),
)
@option(
    "--requests",
    type=options.POSITIVE,
    metavar="N",
    group=EXPERIMENT,
    help=_REPLACES.format("number of requests per session"),
)
@options.run_seed
@option(
    "--jobs",
    type=options.POSITIVE,
    metavar="N",
    group=EXPERIMENT,
    help="How many runs at a time; by default as many as can be punctual.",
)
@option(
    "--save",
    "folder",
    metavar="FOLDER",
    group=OUTPUT,
    help="Write the record of each run to FOLDER/REMEDY.jsonl.",
)
@formats("econnlab.commands.remedies.formats")
def command(**values: Any) -> int:
    """Run SCENARIO once per remedy, side by side on equal schedules, and compare the remedies.

    SCENARIO is a name that `econnlab scenarios` lists, keepalive, sweep or maxconn, or a TOML file of yours;
    by default keepalive-race. The scenario's own retries are removed first. The best remedy that is safe for
    the method comes first. A remedy that may carry out a request twice is marked with ! and is never
    recommended for POST.
    """
    from econnlab.commands.remedies.screen import RemediesOptions, run_remedies

    return run_remedies(RemediesOptions(**values))

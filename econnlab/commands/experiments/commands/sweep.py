"""``econnlab sweep``: the article's table."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import INTERVALS

EPILOG = """\b
Examples:
  econnlab sweep                                    the article's seven intervals, 10 requests each
  econnlab sweep --sessions 20                      the same with 20 times the samples, in the same time
  econnlab sweep 4900..5000:5 --csv sweep.csv       a range, and the table as CSV
  econnlab sweep 440..500:10 --keepalive-timeout 500 --sessions 10
  econnlab sweep --sessions 100 --requests 2        one race per session, in 10 s
"""


@click.command("sweep", epilog=EPILOG, short_help="The failure rate over a range of intervals.")
@click.argument("intervals", type=INTERVALS, required=False, metavar="[INTERVALS]")
@options.requests
@options.sessions
@options.keepalive_timeout
@options.server_busy
@options.url
@options.link
@options.client_options
@options.tls
@options.seed
@options.show_scenario
@options.output_options
def command(**values: Any) -> int:
    """Run the keep-alive experiment at each of INTERVALS, all side by side, so that it takes as long as one.

    INTERVALS is a list (4900,4950), a range (4900..5000:5) or both; by default the article's seven.
    """
    from econnlab.commands.experiments.experiment import run_experiment

    return run_experiment(options.scenario_of("sweep", values), values, lines=False)

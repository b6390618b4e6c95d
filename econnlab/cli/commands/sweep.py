"""``econnlab sweep``: the article's table."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import INTERVALS

#: The article's seven.
ARTICLE = "4900,4950,4980,4985,4990,4995,5000"

EPILOG = """\b
Examples:
  econnlab sweep                                    the article's seven intervals, 10 requests each
  econnlab sweep --sessions 20                      the same with 20 times the samples, in the same time
  econnlab sweep 4900..5000:5 --csv sweep.csv       a range, and the table as CSV
  econnlab sweep 440..500:10 --keepalive-timeout 500 --sessions 10
  econnlab sweep --sessions 100 --requests 2        one race per session, in 10 s
"""


@click.command("sweep", epilog=EPILOG, short_help="The failure rate over a range of intervals.")
@click.argument("intervals", type=INTERVALS, default=ARTICLE, metavar="[INTERVALS]")
@options.requests
@options.sessions
@options.keepalive_timeout
@options.server_busy
@options.url
@options.link
@options.client_options
@options.seed
@options.output_options
@click.pass_context
def command(context: click.Context, /, **values: Any) -> int:
    """Run the keep-alive experiment at each of INTERVALS, all side by side, so that it takes as long as one.

    INTERVALS is a list (4900,4950), a range (4900..5000:5) or both; by default the article's seven.
    """
    from econnlab.cli.experiment import run_experiment
    from econnlab.scenario.model import Plan, Scenario

    plan = Plan(values["intervals"], values["sessions"], values["requests"])
    server, url = options.server_or_url(context, values)
    scenario = Scenario(
        "sweep", server, url, values["link"], options.client_spec(values), plan, values["seed"]
    )
    return run_experiment(scenario, values, lines=False)

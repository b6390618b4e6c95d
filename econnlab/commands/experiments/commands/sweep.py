"""``econnlab sweep``: the article's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from econnlab.cli import options
from econnlab.cli.command import ProgramCommand, lab_command
from econnlab.cli.params import INTERVALS

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab sweep                                    the article's seven intervals, 10 requests each
  econnlab sweep --sessions 20                      20 times as many samples in the same time
  econnlab sweep 4900..5000:5 --csv sweep.csv       a range, and the table as CSV
  econnlab sweep 440..500:10 --keepalive-timeout 500 --sessions 10
  econnlab sweep --server node@14.18.0 --client axios@0.22.0 --sessions 20
  econnlab sweep --sessions 5 -- node client.js     your own program, as it is
  econnlab sweep --sessions 100 --requests 2        one race per session, in 10 s
"""


@lab_command(
    "sweep", examples=EXAMPLES, summary="The failure rate over a range of intervals.", cls=ProgramCommand
)
@click.argument("intervals_ms", type=INTERVALS, required=False, metavar="[INTERVALS]")
@options.requests
@options.sessions
@options.seed
@options.keepalive_timeout
@options.server_busy
@options.server
@options.url
@options.tls
@options.link
@options.client_options
@options.show_scenario
@options.run_outputs("econnlab.commands.experiments.formats")
def command(*, files: Files, show_scenario: bool, **values: Any) -> int:
    """Run the keep-alive experiment at all INTERVALS side by side, in the time that one of them takes.

    INTERVALS is a list (4900,4950), a range (4900..5000:5) or both; by default the article's seven.

    With -- COMMAND your own program is the client: it runs once per session, with ECONNLAB_URL,
    ECONNLAB_INTERVAL_MS and ECONNLAB_REQUESTS set. The ledgers of link and server make the table.
    """
    from econnlab.commands.experiments.experiment import run_experiment

    return run_experiment(
        options.scenario_of("sweep", values), files, show_scenario=show_scenario, lines=False
    )

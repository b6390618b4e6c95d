"""``econnlab keepalive``: the article's first experiment."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import DURATION

EPILOG = """\b
Examples:
  econnlab keepalive --interval 4990
  econnlab keepalive --keepalive-timeout 500 --interval 498 --sessions 10
  econnlab keepalive --interval 5000 --retries 3           a cure, every attempt recorded
  econnlab keepalive --keepalive-timeout 100 --interval 50 --sessions 10 --link none --server-busy 200ms/230ms
  econnlab keepalive --url http://127.0.0.1:3000/ --interval 4999
"""


@click.command("keepalive", epilog=EPILOG, short_help="Requests that race with the server's idle timer.")
@click.option(
    "--interval", type=DURATION, help="From the end of a response to the next request.  [default: 5s]"
)
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
    """Send requests one INTERVAL apart to a server that closes idle connections.

    A request that leaves just before the server closes arrives just after: it is lost. One line per
    request as it happens, then the table. By default a link of some milliseconds stands between client
    and server, for on bare loopback (--link none) the window is a fraction of a millisecond.
    """
    from econnlab.commands.experiments.experiment import run_experiment

    intervals = None if values["interval"] is None else (values["interval"],)
    scenario = options.scenario_of("keepalive", {**values, "intervals": intervals})
    return run_experiment(scenario, values, lines=True)

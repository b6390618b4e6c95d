"""``econnlab maxconn``: the article's second experiment."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options

EPILOG = """\b
Examples:
  econnlab maxconn                                        1 allowed, 2 clients: 1 succeeds, 1 fails
  econnlab maxconn --max-connections 5 --clients 20
  econnlab maxconn --when-full 503
  econnlab maxconn --retries 3                            retries that come too early
  econnlab maxconn --url http://127.0.0.1:3000/ --clients 20
"""


@click.command("maxconn", epilog=EPILOG, short_help="More clients than the server allows connections.")
@click.option(
    "--max-connections",
    type=options.POSITIVE,
    metavar="N",
    help="Connections the lab server allows at a time.  [default: 1]",
)
@click.option(
    "--clients",
    type=options.POSITIVE,
    metavar="N",
    help="Clients that each send one request, at the same moment.  [default: 2]",
)
@options.when_full
@options.keepalive_timeout
@options.url
@options.link
@options.client_options
@options.tls
@options.seed
@options.show_scenario
@options.output_options
def command(**values: Any) -> int:
    """Let more CLIENTS ask at the same moment than the server allows connections.

    Who gets in keeps its connection, so the limit stays reached until the server's idle timer ends one.
    """

    from econnlab.commands.experiments.experiment import run_experiment

    return run_experiment(options.scenario_of("maxconn", values), values, lines=True)

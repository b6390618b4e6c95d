"""``econnlab maxconn``: the article's second experiment."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import PartName

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
    default=1,
    show_default=True,
    help="Connections the lab server allows at a time.",
)
@click.option(
    "--clients",
    type=options.POSITIVE,
    default=2,
    show_default=True,
    help="Clients that each send one request, at the same moment.",
)
@click.option(
    "--when-full",
    type=PartName("econnlab.server.when_full"),
    default="close",
    show_default=True,
    help="What the lab server does with one connection more.",
)
@options.keepalive_timeout
@options.url
@options.link
@options.client_options
@options.seed
@options.output_options
@click.pass_context
def command(context: click.Context, /, **values: Any) -> int:
    """Let more CLIENTS ask at the same moment than the server allows connections.

    Who gets in keeps its connection, so the limit stays reached until the server's idle timer ends one.
    """
    from decimal import Decimal

    from econnlab.cli.experiment import run_experiment
    from econnlab.scenario.model import Plan, Scenario

    plan = Plan((Decimal(0),), values["clients"], requests=1, together=True)
    server, url = options.server_or_url(context, values)
    scenario = Scenario(
        "maxconn", server, url, values["link"], options.client_spec(values), plan, values["seed"]
    )
    return run_experiment(scenario, values, lines=True)

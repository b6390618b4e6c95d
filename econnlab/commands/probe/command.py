"""``econnlab probe``: what a server of one's own really does with an idle connection."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import DURATION, URL

EPILOG = """\b
Examples:
  econnlab probe http://127.0.0.1:3000/
  econnlab probe https://staging.example.com/health --method HEAD --max-wait 5m
  econnlab probe http://127.0.0.1:3000/ --json -
  econnlab probe http://127.0.0.1:3000/ --max-connections 200
  econnlab probe https://127.0.0.1:8443/ --insecure
"""


@click.command(
    "probe", epilog=EPILOG, short_help="What a server really does with an idle connection, and what to set."
)
@click.argument("url", metavar="URL", type=URL)
@click.option(
    "--method",
    type=click.Choice(["GET", "HEAD"], case_sensitive=False),
    default="GET",
    show_default=True,
    help="What is asked; nothing else ever is.",
)
@click.option(
    "--max-wait",
    type=DURATION,
    default="2m",
    show_default=True,
    help="How long an idle connection is watched for its end.",
)
@click.option(
    "--budget",
    type=click.IntRange(min=2),
    default=500,
    show_default=True,
    metavar="N",
    help="Requests in all. It stops there, and says what it therefore does not know.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 1000),
    default=40,
    show_default=True,
    metavar="N",
    help="Open at the same time. Fewer are gentler and take longer.",
)
@click.option(
    "--requests-per-connection",
    type=click.IntRange(0, 100_000),
    default=110,
    show_default=True,
    metavar="N",
    help="Requests on one connection, to find a limit; 0 does not look for it.",
)
@click.option(
    "--max-connections",
    type=options.POSITIVE,
    metavar="N",
    help="Open up to N connections at a time, to find a limit and how more are refused.",
)
@click.option(
    "--timeout", type=DURATION, default="10s", show_default=True, help="For a connection, and for a response."
)
@click.option("--insecure", is_flag=True, help="Go on where the certificate is not to be trusted.")
@options.formats_of(options.PROBES)
def command(url: str, **values: Any) -> int:
    """Find out when the server at URL closes an idle connection, how, and which requests that loses.

    Connections are opened, answered once and left idle; some are asked again, each at a chosen moment around
    the close, to a fifth of a millisecond. Probe servers of yours: it opens up to fifty connections a second,
    and says in its User-Agent what for.
    """
    from econnlab.commands.probe.screen import probe_server

    return probe_server(url, values)

"""The two commands of ``econnlab timeouts``, apart: ``econnlab --help`` needs neither."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options

SHOW_EPILOG = """\b
Examples:
  econnlab timeouts                              the whole table
  econnlab timeouts nginx                        one entry whole: how to set it, what is known from where
  econnlab timeouts node20 puma alb httpx        some of it
  econnlab timeouts --kind client --csv -
"""
CHECK_EPILOG = """\b
A hop:
  NAME             its default; with a version where that matters: node20, nginx@1.22
  NAME=IDLE        a client: how long it reuses an idle connection
                   all others: after how long they close an idle connection of their clients
  NAME=IDLE/IDLE   behind the slash: how long a proxy or balancer reuses its own to the next hop
  NAME=/IDLE       that alone; NAME/IDLE is the same
  IDLE             75s, 4990 (ms), 2m; off: no connection is used twice; unlimited: nothing ends it

\b
Examples:
  econnlab timeouts check nginx=75s node20=5s alb=60s       read by kind: alb, nginx, node20
  econnlab timeouts check requests alb nginx=75s/60s uvicorn=65s
  econnlab timeouts check go-client natgw node22=65s --rtt 30ms
  econnlab timeouts check chain.toml --json -

\b
chain.toml:
  margin = "500ms"
  [[hop]]
  name = "alb"
  idle = "60s"     # as behind the =; or clients = "60s" and upstreams = "60s", one for each side
  rtt = "1ms"      # to the next hop
  [[hop]]
  name = "node20"
  label = "orders"
"""


@click.command("show", short_help="The table, or one entry whole (the default).", epilog=SHOW_EPILOG)
@click.argument("name", nargs=-1)
@click.option(
    "--kind",
    type=click.Choice(["client", "nat", "balancer", "proxy", "server"]),
    help="Only those of this kind.",
)
@options.formats_of(options.TIMEOUT_TABLES)
def show(name: tuple[str, ...], **values: Any) -> int:
    """List what is known; with one NAME all of it. NAME may have a version: node20, node@20.17."""
    from econnlab.commands.timeouts.screen import show_timeouts

    return show_timeouts(name, values)


@click.command("check", short_help="Judge a chain from the client to the application.", epilog=CHECK_EPILOG)
@click.argument("hop", nargs=-1, required=True)
@click.option(
    "--rtt",
    default="",
    metavar="TIME[,TIME]",
    help="Round trip between two hops: one for all, or one for each pair.  [default: 1ms]",
)
@click.option(
    "--margin", default="", metavar="TIME", help="What is kept free beyond the round trip.  [default: 500ms]"
)
@options.formats_of(options.CHAINS)
def check(hop: tuple[str, ...], **values: Any) -> int:
    """Judge each pair of HOPs, the client's end first: safe, tight or unsafe, why, and what to change.

    Whoever reuses connections must let go of an idle one before the other end closes it, by a round trip and
    a margin. Where it does not, a request now and then meets a closed connection. A file chain.toml (or -
    for stdin) may stand for the hops. Exit code 1: a pair is unsafe.
    """
    from econnlab.commands.timeouts.screen import check_chain

    return check_chain(hop, values)

"""The two commands of ``econnlab timeouts``, in a file that ``econnlab --help`` need not import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from econnlab.cli.command import formats, lab_command, option

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

SHOW_EXAMPLES = """
  econnlab timeouts                              the whole table
  econnlab timeouts nginx                        one entry whole: how to set it, what is known from where
  econnlab timeouts node20 puma alb httpx        some of it
  econnlab timeouts --kind client --csv -
"""
CHECK_EXAMPLES = """
  econnlab timeouts check nginx=75s node20=5s alb=60s       read by kind: alb, nginx, node20
  econnlab timeouts check requests alb nginx=75s/60s uvicorn=65s
  econnlab timeouts check go-client natgw node22=65s --rtt 30ms
  econnlab timeouts check chain.toml --json -
"""


@lab_command("show", examples=SHOW_EXAMPLES, summary="The table, or one entry whole (the default).")
@click.argument("name", nargs=-1)
@option(
    "--kind",
    type=click.Choice(["client", "nat", "balancer", "proxy", "server"]),
    help="Only products of this kind.",
)
@formats("econnlab.commands.timeouts.table_formats")
def show(name: tuple[str, ...], kind: str | None, files: Files) -> int:
    """List what is known; with one NAME all of it. NAME may have a version: node20, node@20.17."""
    from econnlab.commands.timeouts.screen import show_timeouts

    return show_timeouts(name, kind, files)


@lab_command("check", examples=CHECK_EXAMPLES, summary="Judge a chain from the client to the application.")
@click.argument("hop", nargs=-1, required=True)
@option(
    "--rtt",
    default="",
    metavar="TIME[,TIME]",
    help="Round trip between two hops: one value for all, or one for each pair.  [default: 1ms]",
)
@option(
    "--margin",
    default="",
    metavar="TIME",
    help="Distance between two timeouts beyond the round trip.  [default: 500ms]",
)
@formats("econnlab.commands.timeouts.chain_formats")
def check(hop: tuple[str, ...], rtt: str, margin: str, files: Files) -> int:
    """Judge each pair of HOPs, starting at the client: safe, tight or unsafe, why, and what to change.

    The side that reuses connections must drop an idle one before the other side closes it, earlier by a
    round trip and a margin. Otherwise a request sometimes meets a closed connection. A file chain.toml (or -
    for stdin) may replace the hops. Exit code 1 means that a pair is unsafe.

    \b
    A hop:
      NAME             its default; with a version if that matters: node20, nginx@1.22
      NAME=IDLE        a client: how long it reuses an idle connection
                       all others: after how long they close an idle connection of their clients
      NAME=IDLE/IDLE   after the slash: how long a proxy or balancer reuses its connections to the next hop
      NAME=/IDLE       only that; NAME/IDLE is the same
      IDLE             75s, 4990 (ms), 2m; off: no connection is used twice; unlimited: nothing ends it

    \b
    chain.toml:
      margin = "500ms"
      [[hop]]
      name = "alb"
      idle = "60s"     # as after the =; or clients = "60s" and upstreams = "60s", one for each side
      rtt = "1ms"      # to the next hop
      [[hop]]
      name = "node20"
      label = "orders"
    """
    from econnlab.commands.timeouts.screen import check_chain

    return check_chain(hop, rtt, margin, files)

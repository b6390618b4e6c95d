"""``econnlab probe``: what the user's server really does with an idle connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from econnlab.cli import options
from econnlab.cli.command import formats, lab_command, option
from econnlab.cli.params import DURATION, URL

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab probe http://127.0.0.1:3000/
  econnlab probe https://staging.example.com/health --method HEAD --max-wait 5m
  econnlab probe http://127.0.0.1:3000/ --json -
  econnlab probe http://127.0.0.1:3000/ --max-connections 200
  econnlab probe https://127.0.0.1:8443/ --insecure
"""


@lab_command(
    "probe", examples=EXAMPLES, summary="What a server really does with an idle connection, and what to set."
)
@click.argument("url", metavar="URL", type=URL)
@option(
    "--method",
    type=click.Choice(["GET", "HEAD"], case_sensitive=False),
    default="GET",
    show_default=True,
    help="The method of every request.",
)
@option(
    "--max-wait",
    "max_wait_ms",
    type=DURATION,
    default="2m",
    show_default=True,
    help="How long to wait for the server to close an idle connection.",
)
@option(
    "--budget",
    type=click.IntRange(min=2),
    default=500,
    show_default=True,
    metavar="N",
    help="Requests in all. The probe stops there, and says what it could not find out.",
)
@option(
    "--connections",
    type=click.IntRange(1, 1000),
    default=40,
    show_default=True,
    metavar="N",
    help="Connections open at the same time. Fewer are gentler and take longer.",
)
@option(
    "--requests-per-connection",
    type=click.IntRange(0, 100_000),
    default=110,
    show_default=True,
    metavar="N",
    help="Requests to send on one connection to find its limit; 0 skips that.",
)
@option(
    "--max-connections",
    type=options.POSITIVE,
    metavar="N",
    help="Open up to N connections at a time to find the limit, and how the server refuses more.",
)
@option(
    "--timeout",
    "timeout_ms",
    type=DURATION,
    default="10s",
    show_default=True,
    help="Deadline for each connection, and for each response.",
)
@option(
    "--byte-budget",
    "megabytes",
    type=options.POSITIVE,
    default=100,
    show_default=True,
    metavar="MB",
    help="Megabytes of response bodies in all; one body may have a tenth of them.",
)
@option("--insecure", is_flag=True, help="Continue despite an untrusted certificate.")
@formats("econnlab.commands.probe.formats")
def command(*, files: Files, **values: Any) -> int:
    """Find out when the server at URL closes an idle connection, how, and which requests that loses.

    The probe opens connections, sends a request on each and leaves them idle. On some it sends a second
    request at a chosen moment around the close, exact to a fifth of a millisecond. Probe only servers of your
    own: it opens up to fifty connections a second, and its User-Agent says why.
    """
    from econnlab.commands.probe.screen import probe_server
    from econnlab.commands.probe.spec import ProbeSpec

    return probe_server(ProbeSpec(**values), files)

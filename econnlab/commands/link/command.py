"""``econnlab link``: the link alone, in front of anything that speaks TCP."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import DURATION, LINK, LISTEN, PLACE

EPILOG = """\b
Examples:
  econnlab link --listen 15432 --to localhost:5432 --link wan     a database an ocean away
  econnlab link --listen 8081 --to 127.0.0.1:8080 --idle-drop 2s  a firewall that forgets after 2 s
  econnlab link --listen 6380 --to '[::1]:6379' --reset-after 1000  reset after 1000 bytes
  econnlab link --listen 0 --to api.internal:80 --fail-first 3    does the client's retry work?
  econnlab link --listen 8081 --to 127.0.0.1:8080 --max-connections 5 --when-full queue
  echo 'idle-drop 2s rst' | econnlab link --listen 8081 --to 127.0.0.1:8080

\b
A line on its stdin changes it while it runs; `help` lists them. --api PORT takes the same as JSON:
  curl -d '{"delay": "40ms~0.2"}' -H 'Content-Type: application/json' 127.0.0.1:9100/settings
"""


@click.command(
    "link", epilog=EPILOG, short_help="Delay, drop and reset, in front of anything that speaks TCP."
)
@click.option(
    "--listen",
    type=LISTEN,
    required=True,
    metavar="[HOST:]PORT",
    help="Where to listen; port 0 takes a free one.",
)
@click.option("--to", type=PLACE, required=True, metavar="HOST:PORT", help="Where to relay to.")
@click.option(
    "--link",
    "delay",
    type=LINK,
    default="none",
    show_default=True,
    help="The delay: none, article, lan, region, wan, MEDIAN~JITTER as 2ms~0.5, or TO_SERVER/TO_CLIENT.",
)
@click.option("--idle-drop", type=DURATION, help="Forget a connection that was idle for so long.")
@click.option(
    "--idle-drop-with",
    type=click.Choice(["silent", "rst"]),
    default="silent",
    show_default=True,
    help="What the next packet of a forgotten connection meets.",
)
@click.option(
    "--reset-after", type=options.POSITIVE, metavar="BYTES", help="Reset each connection after so many bytes."
)
@click.option(
    "--reset-counts",
    type=click.Choice(["to-client", "to-server", "both"]),
    default="to-client",
    show_default=True,
    help="Which bytes --reset-after counts.",
)
@click.option("--max-connections", type=options.POSITIVE, help="Connections at a time.  [default: no limit]")
@click.option(
    "--when-full",
    type=click.Choice(["close", "reset", "queue"]),
    default="close",
    show_default=True,
    help="What becomes of one connection more.",
)
@click.option("--fail-first", type=options.POSITIVE, metavar="N", help="Reset the first N connections.")
@click.option("--seed", type=int, default=1, show_default=True, help="For the delays.")
@click.option("--jsonl", metavar="FILE", help="Write the ledger as JSON Lines; - is stdout.")
@click.option(
    "--api",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Take orders over HTTP on this port of 127.0.0.1; 0 takes a free one.  [default: off]",
)
def command(**values: Any) -> int:
    """Relay in the foreground, show what happens to each connection, and sum up on Ctrl-C.

    An RST is passed on as an RST and a FIN as a FIN, in order. It listens on 127.0.0.1 unless --listen
    names another address.
    """
    from econnlab.commands.link.screen import link_in_foreground, treatment_of

    return link_in_foreground(
        treatment_of(values), values["listen"], values["to"], values["seed"], values["jsonl"], values["api"]
    )

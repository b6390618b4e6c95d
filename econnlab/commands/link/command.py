"""``econnlab link``: the link alone, in front of anything that speaks TCP."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.command import lab_command, option
from econnlab.cli.params import DURATION, LINK, LISTEN, PLACE

EXAMPLES = """
  econnlab link --listen 15432 --to localhost:5432 --link wan     a database an ocean away
  econnlab link --listen 8081 --to 127.0.0.1:8080 --idle-drop 2s  a firewall that forgets after 2 s
  econnlab link --listen 6380 --to '[::1]:6379' --reset-after 1000  reset after 1000 bytes
  econnlab link --listen 0 --to api.internal:80 --fail-first 3    does the client's retry work?
  econnlab link --listen 8081 --to 127.0.0.1:8080 --max-connections 5 --when-full queue
  echo 'idle-drop 2s rst' | econnlab link --listen 8081 --to 127.0.0.1:8080
"""


@lab_command(
    "link", examples=EXAMPLES, summary="Delay, drop and reset, in front of anything that speaks TCP."
)
@option(
    "--listen",
    type=LISTEN,
    required=True,
    metavar="[HOST:]PORT",
    help="The address to listen on; port 0 takes a free one.",
)
@option("--to", type=PLACE, required=True, metavar="HOST:PORT", help="The server to relay to.")
@option(
    "--link",
    "delay",
    type=LINK,
    default="none",
    show_default=True,
    help="The delay: none, article, lan, region, wan, MEDIAN~JITTER as 2ms~0.5, or TO_SERVER/TO_CLIENT.",
)
@option("--idle-drop", type=DURATION, help="Forget a connection that has been idle for so long.")
@option(
    "--idle-drop-with",
    type=click.Choice(["silent", "rst"]),
    default="silent",
    show_default=True,
    help="How the link treats the next packet of a forgotten connection.",
)
@option(
    "--reset-after", type=options.POSITIVE, metavar="BYTES", help="Reset each connection after so many bytes."
)
@option(
    "--reset-counts",
    type=click.Choice(["to-client", "to-server", "both"]),
    default="to-client",
    show_default=True,
    help="Which bytes --reset-after counts.",
)
@option("--max-connections", type=options.POSITIVE, help="Connections at a time.  [default: no limit]")
@option(
    "--when-full",
    type=click.Choice(["close", "reset", "queue"]),
    default="close",
    show_default=True,
    help="What the link does with a connection above the limit.",
)
@option("--fail-first", type=options.POSITIVE, metavar="N", help="Reset the first N connections.")
@option("--seed", type=int, default=1, show_default=True, help="Seed for the delays.")
@option("--jsonl", metavar="FILE", help="Write each connection event as JSON Lines; - is stdout.")
@option("--capture", metavar="FILE", help="Write the packets as pcapng, for Wireshark and econnlab diagnose.")
@option(
    "--api",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Accept commands over HTTP on this port of 127.0.0.1; 0 takes a free one.  [default: off]",
)
def command(**values: Any) -> int:
    """Relay in the foreground, show what happens to each connection, and print a summary on Ctrl-C.

    The link passes on an RST as an RST and a FIN as a FIN, in order. It listens on 127.0.0.1 unless --listen
    names another address.

    Each line on its stdin is a command that changes it while it runs; `help` lists the commands. --api PORT
    accepts the same as JSON:

    \b
      curl -d '{"delay": "40ms~0.2"}' -H 'Content-Type: application/json' 127.0.0.1:9100/settings
    """
    from econnlab.commands.link.screen import LinkOptions, link_in_foreground

    return link_in_foreground(LinkOptions(**values))

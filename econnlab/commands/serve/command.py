"""``econnlab serve``: the lab server for anybody's own client."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import BUSY, DURATION

EPILOG = """\b
Examples:
  econnlab serve                                        port 8080, idle connections closed after 5 s
  econnlab serve --port 0 --keepalive-timeout 500       any free port, 500 ms
  econnlab serve --keepalive-buffer 1000                says 5 s and closes at 6, as Node 20 does
  econnlab serve --max-connections 1 --when-full reset
  econnlab serve --jsonl - | jq -r 'select(.kind == "closed")'
"""


@click.command("serve", epilog=EPILOG, short_help="A server that closes connections, for your own client.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@options.keepalive_timeout
@click.option(
    "--advertise/--no-advertise",
    default=True,
    show_default=True,
    help="Say so in each response: Keep-Alive: timeout=N, in whole seconds.",
)
@click.option(
    "--keepalive-buffer",
    type=DURATION,
    default="0ms",
    show_default=True,
    help="Close this much later than advertised.",
)
@click.option(
    "--max-connections", type=options.POSITIVE, help="Connections allowed at a time.  [default: no limit]"
)
@options.when_full
@click.option(
    "--close-with",
    type=click.Choice(["fin", "rst"]),
    default="fin",
    show_default=True,
    help="How to close: plainly, or with SO_LINGER 0.",
)
@click.option(
    "--busy",
    "server_busy",
    type=BUSY,
    metavar="FOR/EVERY",
    help="Block the event loop FOR a while EVERY so often.",
)
@click.option(
    "--response-delay",
    type=DURATION,
    default="0ms",
    show_default=True,
    help="Think this long before each answer.",
)
@click.option(
    "--response-size",
    type=click.IntRange(0, 1 << 30),
    default=3,
    show_default=True,
    help="Bytes of each body.",
)
@options.tls
@click.option("--jsonl", metavar="FILE", help="Write the ledger as JSON Lines; - is stdout.")
def command(**values: Any) -> int:
    """Serve in the foreground, show what happens to each connection, and sum up on Ctrl-C.

    It answers GET, HEAD, POST, PUT and DELETE on any path, on 127.0.0.1 unless --host says otherwise.
    """
    from econnlab.commands.serve.screen import serve_in_foreground
    from econnlab.scenario.server import ServerSpec

    return serve_in_foreground(options.served(values, ServerSpec()), values["jsonl"])

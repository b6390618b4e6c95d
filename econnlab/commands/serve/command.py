"""``econnlab serve``: the lab server alone, for the user's own client."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.command import lab_command, option
from econnlab.cli.params import BUSY, DURATION, ROUTE

EXAMPLES = """
  econnlab serve                                        port 8080, idle connections closed after 5 s
  econnlab serve --port 0 --keepalive-timeout 500       any free port, 500 ms
  econnlab serve --keepalive-buffer 1000                says 5 s and closes at 6, as Node 20 does
  econnlab serve --max-connections 1 --when-full reset
  econnlab serve --route '/down status=503' --route '/slow* delay=2s'
  econnlab serve --jsonl - | jq -r 'select(.kind == "closed")'
"""


@lab_command("serve", examples=EXAMPLES, summary="A server that closes connections, for your own client.")
@option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@options.keepalive_timeout
@option(
    "--advertise/--no-advertise",
    default=True,
    show_default=True,
    help="Send Keep-Alive: timeout=N (whole seconds) with each response.",
)
@option(
    "--keepalive-buffer",
    "keepalive_buffer_ms",
    type=DURATION,
    default="0ms",
    show_default=True,
    help="Close so much later than advertised.",
)
@option(
    "--max-connections", type=options.POSITIVE, help="Connections allowed at a time.  [default: no limit]"
)
@options.when_full
@option(
    "--close-with",
    type=click.Choice(["fin", "rst"]),
    default="fin",
    show_default=True,
    help="How to close: with a FIN, or with an RST (SO_LINGER 0).",
)
@option(
    "--busy",
    "server_busy",
    type=BUSY,
    metavar="FOR/EVERY",
    help="Block the event loop FOR a time EVERY so often: 20ms/1s.",
)
@option(
    "--response-delay",
    "response_delay_ms",
    type=DURATION,
    default="0ms",
    show_default=True,
    help="Wait so long before each response.",
)
@option(
    "--response-size",
    type=click.IntRange(0, 1 << 30),
    default=3,
    show_default=True,
    help="Bytes in each response body.",
)
@option(
    "--route",
    "routes",
    type=ROUTE,
    multiple=True,
    metavar="ROUTE",
    help="Answer a path in its own way: '/slow delay=2s', '/down status=503', '/orders fault=processed:rst'.",
)
@options.tls
@option("--jsonl", metavar="FILE", help="Write each connection event as JSON Lines; - is stdout.")
@option("--capture", metavar="FILE", help="Write the packets as pcapng, for Wireshark and econnlab diagnose.")
def command(*, jsonl: str | None, capture: str | None, **values: Any) -> int:
    """Serve in the foreground, show what happens to each connection, and print a summary on Ctrl-C.

    The server answers GET, HEAD, POST, PUT and DELETE on any path, on 127.0.0.1 unless --host says otherwise.

    --route takes a path and any of status=, body=, type=, delay= and fault=STAGE[:fin|rst|kill|nothing], and
    can be given several times; the first that matches counts. A * at the end of the path stands for any rest.
    """
    from econnlab.commands.serve.screen import serve_in_foreground
    from econnlab.scenario.server import ServerSpec

    return serve_in_foreground(options.served(values, ServerSpec()), jsonl, capture)

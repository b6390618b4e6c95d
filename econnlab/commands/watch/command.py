"""``econnlab watch``: losses and their causes, live, on the machine that has them."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli.command import OUTPUT, lab_command, option
from econnlab.cli.params import DURATION

CAPTURE = "Capture"
EXAMPLES = """
  sudo econnlab watch                                   every interface, all TCP
  sudo econnlab watch -i eth0 --port 8080
  sudo econnlab watch --port 8080 --save-failures losses
  sudo econnlab watch --port 8080 --until-failure       ends at the first loss
  sudo econnlab watch --metrics 9464 >>watch.log        totals every minute, and for Prometheus
"""


@lab_command("watch", examples=EXAMPLES, summary="Losses and their causes as they happen, from live packets.")
@option("-i", "--interface", metavar="IFACE", group=CAPTURE, help="The interface to hear.  [default: all]")
@option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="P",
    group=CAPTURE,
    help="Only connections with this port.",
)
@option("--host", metavar="H", group=CAPTURE, help="Only connections with this IP address on either side.")
@option(
    "--memory",
    "memory_mb",
    type=click.IntRange(50, 100_000),
    default=200,
    show_default=True,
    metavar="MB",
    group=CAPTURE,
    help="Use about this much memory.",
)
@option("--until-failure", is_flag=True, help="End at the first lost request and explain it.")
@option(
    "--every",
    "every_ms",
    type=DURATION,
    default="60s",
    show_default=True,
    group=OUTPUT,
    help="Without a terminal, print totals this often.",
)
@option(
    "--save-failures",
    metavar="DIR",
    group=OUTPUT,
    help="Write the packets of each lost request into DIR, as a pcapng with the verdict as comment.",
)
@option(
    "--metrics",
    metavar="[HOST:]PORT",
    group=OUTPUT,
    help="Serve totals to Prometheus on this port of 127.0.0.1, or of HOST.",
)
def command(**values: Any) -> int:
    """Capture TCP packets and explain each lost request while it happens.

    Connections are judged by the rules of `diagnose`, some seconds after they have ended. Memory is bounded;
    packets that the capture had to drop are counted and shown. It sends nothing.
    """
    from econnlab.commands.watch.watching import WatchOptions, watch

    return watch(WatchOptions(**values))

"""``econnlab diagnose``: who sent the RST, and why, in a capture of one's own."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options

EPILOG = """\b
Examples:
  econnlab diagnose trace.pcap
  econnlab diagnose trace.pcapng.gz --all --csv failures.csv
  econnlab diagnose trace.pcap --timeline
  econnlab diagnose trace.pcap --host 10.0.0.7 --port 8080 --since 10:03 --until 10:05
  sudo tcpdump -i any -s 0 -w - tcp port 8080 | econnlab diagnose -
"""


@click.command(
    "diagnose", epilog=EPILOG, short_help="Resets and lost requests in a capture, with their causes."
)
@click.argument("capture", metavar="FILE")
@click.option("--all", "every", is_flag=True, help="Show every failure, not the worst ten.")
@click.option("--timeline", is_flag=True, help="Draw each failure: who sent what when.")
@click.option("--host", metavar="ADDRESS", help="Only connections of this address, on either side.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Only connections with this port.")
@click.option("--since", metavar="TIME", help="Only what failed from then on: 10:03:12, or a date and time.")
@click.option("--until", metavar="TIME", help="Only what failed up to then.")
@options.formats_of(options.DIAGNOSES)
def command(capture: str, **values: Any) -> int:
    """Read a capture of any machine and explain every TCP connection that ended in RST or lost a request.

    FILE is a pcap or pcapng, gzipped or not; - reads stdin. Causes come from the same rules as those of the
    lab's own runs. With TLS, or packets cut short, TCP alone has to tell.
    """
    from econnlab.commands.diagnose.screen import diagnose_capture

    return diagnose_capture(capture, values)

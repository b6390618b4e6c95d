"""``econnlab diagnose``: who sent the RST, and why, in a capture of the user's."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli.command import formats, lab_command, option

EXAMPLES = """
  econnlab diagnose trace.pcap
  econnlab diagnose trace.pcapng.gz --all --csv failures.csv
  econnlab diagnose trace.pcap --timeline
  econnlab diagnose trace.pcap --host 10.0.0.7 --port 8080 --since 10:03 --until 10:05
  sudo tcpdump -i any -s 0 -w - tcp port 8080 | econnlab diagnose -
"""


@lab_command(
    "diagnose", examples=EXAMPLES, summary="Resets and lost requests in a capture, with their causes."
)
@click.argument("capture", metavar="FILE")
@option("--all", "every", is_flag=True, help="Show every failure, not only the worst ten.")
@option("--timeline", is_flag=True, help="Draw each failure: who sent what and when.")
@option("--host", metavar="ADDRESS", help="Only connections with this address on either side.")
@option("--port", type=click.IntRange(0, 65535), metavar="N", help="Only connections with this port.")
@option("--since", metavar="TIME", help="Only failures from then on: 10:03:12, or a date and time.")
@option("--until", metavar="TIME", help="Only failures up to then.")
@formats("econnlab.commands.diagnose.formats")
def command(**values: Any) -> int:
    """Read a capture of any machine and explain every TCP connection that ended in RST or lost a request.

    FILE is a pcap or pcapng, gzipped or not; - reads stdin. The rules for causes are those of the lab's own
    runs. If the capture is encrypted, or its packets are cut short, only the TCP headers are judged.
    """
    from econnlab.commands.diagnose.screen import DiagnoseOptions, diagnose_capture

    return diagnose_capture(DiagnoseOptions(**values))

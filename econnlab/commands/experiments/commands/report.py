"""``econnlab report``: a saved run, rendered again."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options

EPILOG = """\b
Examples:
  econnlab sweep --save run.jsonl
  econnlab report run.jsonl
  econnlab report run.jsonl --csv run.csv --json run.json
"""


@click.command("report", epilog=EPILOG, short_help="Render a saved run again, without running.")
@click.argument("record", metavar="FILE")
@options.format_options
def command(record: str, **values: Any) -> int:
    """Print the table of a run that --save wrote to FILE, and write it in other formats.

    Causes are attributed anew, from the events in the file. - reads stdin.
    """
    from econnlab.commands.experiments.rendering import render_record

    return render_record(record, values)

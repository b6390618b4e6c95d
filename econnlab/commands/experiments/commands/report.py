"""``econnlab report``: a saved run, rendered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from econnlab.cli.command import formats, lab_command

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab sweep --save run.jsonl
  econnlab report run.jsonl
  econnlab report run.jsonl --csv run.csv --json run.json
"""


@lab_command("report", examples=EXAMPLES, summary="Render a saved run again, without running it.")
@click.argument("record", metavar="FILE")
@formats("econnlab.commands.experiments.formats")
def command(record: str, files: Files) -> int:
    """Print the table of a run that --save wrote to FILE, and write it in other formats.

    The causes are attributed anew, from the events in the file. - reads stdin.
    """
    from econnlab.commands.experiments.rendering import render_record

    return render_record(record, files)

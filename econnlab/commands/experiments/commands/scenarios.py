"""``econnlab scenarios``: which there are, and what each is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from econnlab.cli.command import formats, lab_command

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab scenarios                     a line each
  econnlab scenarios busy-server         its story, and its file
  econnlab scenarios --json -            all of them, with their stories
"""


@lab_command("scenarios", examples=EXAMPLES, summary="List the scenarios, or show one with its story.")
@click.argument("name", required=False, metavar="[NAME]")
@formats("econnlab.commands.experiments.catalogue_formats")
def command(name: str | None, files: Files) -> int:
    """List the scenarios that come with the lab; with NAME, show its story and its TOML file."""
    from econnlab.commands.experiments.catalogue import show_scenarios

    return show_scenarios(name, files)

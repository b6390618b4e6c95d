"""``econnlab scenarios``: which there are, and what each is about."""

from __future__ import annotations

import click

from econnlab.cli.command import lab_command

EXAMPLES = """
  econnlab scenarios                     a line each
  econnlab scenarios busy-server         its story, and its file
"""


@lab_command("scenarios", examples=EXAMPLES, summary="List the scenarios, or show one with its story.")
@click.argument("name", required=False, metavar="[NAME]")
def command(name: str | None) -> int:
    """List the scenarios that come with the lab; with NAME, show its story and its TOML file."""
    from econnlab.commands.experiments.catalogue import show_catalogue, show_scenario

    return show_catalogue() if name is None else show_scenario(name)

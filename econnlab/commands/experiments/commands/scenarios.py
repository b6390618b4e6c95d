"""``econnlab scenarios``: which there are, and what each is about."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  econnlab scenarios                     a line each
  econnlab scenarios busy-server         its story, and its file
"""


@click.command("scenarios", epilog=EPILOG, short_help="List the scenarios, or show one with its story.")
@click.argument("name", required=False, metavar="[NAME]")
def command(name: str | None) -> int:
    """List the scenarios that come with the lab; with NAME, show where it is met and what would run."""
    from econnlab.commands.experiments.batch import show_catalogue, show_scenario

    return show_catalogue() if name is None else show_scenario(name)

"""``econnlab run``: scenarios by name or file, held against what they expect."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options

EPILOG = """\b
Examples:
  econnlab run keepalive-race
  econnlab run busy-server idle-drop-rst          both, side by side
  econnlab run --all                              every scenario there is, in a minute
  econnlab run mine.toml --dry-run                read and checked, not run
  econnlab run crash-read --save run.jsonl
"""


@click.command("run", epilog=EPILOG, short_help="Run scenarios, and check what they expect.")
@click.argument("scenarios", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--all", "every", is_flag=True, help="Every scenario that comes with the lab.")
@click.option("--dry-run", is_flag=True, help="Read and check the scenarios, and show what would run.")
@click.option("--jobs", type=options.POSITIVE, metavar="N", help="How many run at a time.  [default: 4]")
@options.run_seed
@options.output_options
def command(scenarios: tuple[str, ...], **values: Any) -> int:
    """Run each scenario in processes of its own and hold it against its [expect].

    A NAME is one that `econnlab scenarios` lists, a FILE a TOML file of yours. Exit code 1 where an
    expectation does not hold, 3 where this system cannot run one.
    """
    from econnlab.commands.experiments.batch import run_scenarios

    return run_scenarios(scenarios, values)

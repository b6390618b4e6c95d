"""``econnlab run``: scenarios by name or file, held against what they expect."""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.command import EXPERIMENT, lab_command, option

EXAMPLES = """
  econnlab run keepalive-race
  econnlab run busy-server idle-drop-rst          both, side by side
  econnlab run 'truncated*' --markdown -          all that match, with a table for a job's summary
  econnlab run --all --junit run.xml              every scenario there is, in a minute
  econnlab run mine.toml --dry-run                read and checked, not run
  econnlab run crash-read --save run.jsonl
"""


@lab_command("run", examples=EXAMPLES, summary="Run scenarios, and check what they expect.")
@click.argument("scenarios", nargs=-1, metavar="[NAME|FILE]...")
@option("--all", "every", is_flag=True, group=EXPERIMENT, help="Run every scenario that comes with the lab.")
@option(
    "--dry-run",
    is_flag=True,
    group=EXPERIMENT,
    help="Read and check the scenarios and show them, but run nothing.",
)
@option(
    "--jobs",
    type=options.POSITIVE,
    metavar="N",
    group=EXPERIMENT,
    help="How many scenarios run at a time.  [default: 4]",
)
@options.run_seed
@options.run_outputs("econnlab.commands.experiments.formats", "econnlab.commands.experiments.batch_formats")
def command(**values: Any) -> int:
    """Run each scenario in processes of its own and check its [expect].

    A NAME is one that `econnlab scenarios` lists, or a pattern for several; a FILE is a TOML file of yours.
    Exit code 1 means that an expectation does not hold, 3 that this machine cannot run a scenario.
    """
    from econnlab.commands.experiments.batch import RunOptions, run_scenarios

    return run_scenarios(RunOptions(**values))

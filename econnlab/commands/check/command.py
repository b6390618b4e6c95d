"""``econnlab check``: does the user's own client survive?"""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.command import LabCommand, formats, lab_command, option
from econnlab.cli.params import DURATION, PERCENT

EXAMPLES = """
  econnlab check -- python client.py              it asks the URL in ECONNLAB_URL
  econnlab check -- curl -sSf -d order {url}orders
  econnlab check --scenario done-reset --scenario reused-reset -- node client.js
  econnlab check --expect first-silent=hung,failed --timeout 5s -- ./client
  econnlab check --answer order.json -- ./client   for one that wants JSON back
  econnlab check --write-expectations right.toml -- ./client
  econnlab check --expectations right.toml --fail-over 10% -- ./client
  econnlab check --junit check.xml --markdown summary.md -- ./client
"""


class _CheckCommand(LabCommand):
    """Refuses options of its own that stand behind the command without ``--`` before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        given = list(args)
        rest = super().parse_args(ctx, args)
        words = ctx.params.get("words") or ()
        if words and given[-len(words) - 1 : -len(words)] != ["--"]:
            own = {name for parameter in self.params for name in parameter.opts}
            misplaced = next((word for word in words[1:] if word.partition("=")[0] in own), None)
            if misplaced is not None:
                raise click.UsageError(
                    f"{misplaced} stands behind the command {words[0]}. If it is for check, write it before "
                    f"the command; if it is for {words[0]}, write -- before the command: "
                    f"econnlab check -- {words[0]} ... {misplaced}",
                    ctx,
                )
        return rest


@lab_command(
    "check",
    examples=EXAMPLES,
    summary="Does your own client survive? A matrix of troubles.",
    cls=_CheckCommand,
    context_settings={"allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND...")
@option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME|FILE",
    help="Run only this scenario; may be given several times.  [default: all that `econnlab "
    "scenarios` lists for check]",
)
@option(
    "--timeout",
    type=DURATION,
    default="10s",
    show_default=True,
    help="How long each run of the command may take.",
)
@option(
    "--answer",
    metavar="FILE",
    help="Answer every request with the text of FILE, as JSON if it is called *.json.  [default: ok]",
)
@option(
    "--expect",
    "expect",
    multiple=True,
    metavar="SCENARIO=VERDICT[,VERDICT]",
    help="The verdicts that pass for this scenario; may be given several times.",
)
@option(
    "--expectations",
    metavar="FILE",
    help="The same as a TOML file: done-reset = ['survived', 'failed'].",
)
@option(
    "--allow-not-met",
    is_flag=True,
    help="Let a scenario pass whose trouble never met the command, unless its verdict is given.",
)
@option(
    "--fail-over",
    type=PERCENT,
    default="0%",
    show_default=True,
    metavar="N%",
    help="Exit with 1 only if more than N% of the verdicts are unexpected.",
)
@option(
    "--jobs",
    type=options.POSITIVE,
    metavar="N",
    help="How many scenarios run at a time.  [default: 4]",
)
@formats("econnlab.commands.check.formats")
def command(**values: Any) -> int:
    """Run COMMAND once per scenario against the lab server, and judge its exit code and the server's ledger.

    COMMAND finds the server's URL in ECONNLAB_URL, and in its arguments instead of {url}. It first runs
    twice without trouble: the requests of those runs are the expected work. The verdicts, worst first:

    \b
    duplicated  the server carried out a POST or PATCH more often than without trouble
    hung        the command did not end in time
    lost        the command exited with 0, but a request was not carried out or not answered
    failed      the command reported an error, and no request was carried out twice
    survived    every request was carried out
    not met     the trouble never occurred: a client that sends one request per connection reuses none

    Exit code 1 means that a verdict is not the expected one. Expected is survived, and also failed if the
    server carried out a request that it never answered. Exit code 3 means that the command fails even without
    trouble.
    """
    from econnlab.commands.check.screen import CheckOptions, check_command

    return check_command(CheckOptions(**values))

"""``econnlab check``: does a client of the user's survive?"""

from __future__ import annotations

from typing import Any

import click

from econnlab.cli import options
from econnlab.cli.params import DURATION

EPILOG = """\b
Examples:
  econnlab check -- python client.py              it asks the URL in ECONNLAB_URL
  econnlab check -- curl -sSf -d order {url}orders
  econnlab check --scenario done-reset --scenario reused-reset -- node client.js
  econnlab check --expect first-silent=hung,failed --timeout 5s -- ./client
  econnlab check --answer order.json -- ./client   for one that wants JSON back
  econnlab check --junit check.xml --markdown summary.md -- ./client
"""


@click.command(
    "check",
    epilog=EPILOG,
    short_help="Does your own client survive? A matrix of troubles.",
    context_settings={"allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND...")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME|FILE",
    help="Only this one; may be given again.  [default: the 18 that `econnlab scenarios` lists for check]",
)
@click.option(
    "--timeout",
    type=DURATION,
    default="10s",
    show_default=True,
    help="How long each run of the command may take.",
)
@click.option(
    "--answer",
    metavar="FILE",
    help="Answer every request with this text, as JSON where it is called *.json.  [default: ok]",
)
@click.option(
    "--expect",
    "expect",
    multiple=True,
    metavar="SCENARIO=VERDICT[,VERDICT]",
    help="What is right there, in place of survived or not-met; may be given again.",
)
@click.option("--expectations", metavar="FILE", help="The same as TOML: done-reset = ['survived', 'failed'].")
@click.option("--jobs", type=options.POSITIVE, metavar="N", help="How many run at a time.  [default: 4]")
@options.formats_of(options.CHECKS)
def command(words: tuple[str, ...], **values: Any) -> int:
    """Run COMMAND once per scenario against the lab's server; its exit code and the server's ledger judge it.

    COMMAND finds the server's URL in ECONNLAB_URL, and in place of {url} in its arguments. First it runs
    twice without trouble: what it asks then is what is to be carried out, once each. The worst verdict first:

    \b
    duplicated  a POST or PATCH was carried out more often than without trouble
    hung        it did not end in time
    lost        it claims success (exit code 0), and something was not done or not answered
    failed      it says so itself, and nothing was done twice
    survived    everything was done
    not met     it never gave the trouble an occasion: on one request a connection nothing is reused

    Exit code 1 where a verdict is not the one expected: survived or not met, and after work that was done but
    never answered failed as well. 3 where the command does not work even without trouble.
    """
    from econnlab.commands.check.screen import check_command

    return check_command(words, values)

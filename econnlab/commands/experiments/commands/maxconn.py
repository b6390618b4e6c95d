"""``econnlab maxconn``: the article's second experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli import options
from econnlab.cli.command import EXPERIMENT, SERVER, lab_command, option

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab maxconn                                        1 allowed, 2 clients: 1 succeeds, 1 fails
  econnlab maxconn --max-connections 5 --clients 20
  econnlab maxconn --when-full 503
  econnlab maxconn --retries 3                            retries that come too early
  econnlab maxconn --url http://127.0.0.1:3000/ --clients 20
"""


@lab_command("maxconn", examples=EXAMPLES, summary="More clients than the server allows connections.")
@option(
    "--clients",
    "sessions",
    type=options.POSITIVE,
    metavar="N",
    group=EXPERIMENT,
    help="Clients that send one request each, at the same moment.  [default: 2]",
)
@options.seed
@option(
    "--max-connections",
    type=options.POSITIVE,
    metavar="N",
    group=SERVER,
    help="Connections that the lab server allows at a time.  [default: 1]",
)
@options.when_full
@options.keepalive_timeout
@options.server
@options.url
@options.tls
@options.link
@options.client_options
@options.show_scenario
@options.run_outputs("econnlab.commands.experiments.formats")
def command(*, files: Files, show_scenario: bool, **values: Any) -> int:
    """Send requests from more CLIENTS at the same moment than the server allows connections.

    A client that gets in keeps its connection, so the server stays full until its idle timer closes one.
    """
    from econnlab.commands.experiments.experiment import run_experiment

    return run_experiment(
        options.scenario_of("maxconn", values), files, show_scenario=show_scenario, lines=True
    )

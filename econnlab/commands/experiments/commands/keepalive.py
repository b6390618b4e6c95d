"""``econnlab keepalive``: the article's first experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli import options
from econnlab.cli.command import EXPERIMENT, ProgramCommand, lab_command, option
from econnlab.cli.params import INTERVAL

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

EXAMPLES = """
  econnlab keepalive --interval 4990
  econnlab keepalive --keepalive-timeout 500 --interval 498 --sessions 10
  econnlab keepalive --interval 5000 --retries 3           a cure, every attempt recorded
  econnlab keepalive --keepalive-timeout 100 --interval 50 --sessions 10 --link none --server-busy 200ms/230ms
  econnlab keepalive --interval 4995 --server uvicorn --client httpx
  econnlab keepalive --interval 4995 --requests 10 -- node client.js    your own program, as it is
  econnlab keepalive --url http://127.0.0.1:3000/ --interval 4999
"""


@lab_command(
    "keepalive",
    examples=EXAMPLES,
    summary="Requests that race with the server's idle timer.",
    cls=ProgramCommand,
)
@option(
    "--interval",
    "intervals_ms",
    type=INTERVAL,
    group=EXPERIMENT,
    help="Time from the end of a response to the next request.  [default: 5s]",
)
@options.requests
@options.sessions
@options.seed
@options.keepalive_timeout
@options.server_busy
@options.server
@options.url
@options.tls
@options.link
@options.client_options
@options.show_scenario
@options.run_outputs("econnlab.commands.experiments.formats")
def command(*, files: Files, show_scenario: bool, **values: Any) -> int:
    """Send requests one INTERVAL apart to a server that closes idle connections.

    A request that leaves just before the server closes the connection arrives just after, and is lost. The
    command prints a line for each request as it ends, then a table. A link that delays packets by some
    milliseconds stands between client and server: on bare loopback (--link none) the race window is only a
    fraction of a millisecond wide.
    """
    from econnlab.commands.experiments.experiment import run_experiment

    return run_experiment(
        options.scenario_of("keepalive", values), files, show_scenario=show_scenario, lines=True
    )

"""Options that several commands share, and the scenario that they make of the one the command begins with.

An option that is not given is None and leaves the scenario's own value, which stands in scenarios/*.toml; the
default in its help repeats that value, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from econnlab.cli.params import BUSY, DURATION, LINK, URL, PartName
from econnlab.discovery import parts

if TYPE_CHECKING:
    from econnlab.scenario.client import ClientSpec
    from econnlab.scenario.model import Scenario
    from econnlab.scenario.server import ServerSpec

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = "econnlab.commands.experiments.formats"
DIAGNOSES = "econnlab.commands.diagnose.formats"
CHECKS = "econnlab.commands.check.formats"
COMPARISONS = "econnlab.commands.remedies.formats"
TIMEOUT_TABLES = "econnlab.commands.timeouts.table_formats"
CHAINS = "econnlab.commands.timeouts.chain_formats"
PROBES = "econnlab.commands.probe.formats"
POSITIVE = click.IntRange(min=1)

# -- the options ----------------------------------------------------------------------------------

keepalive_timeout = click.option(
    "--keepalive-timeout",
    type=DURATION,
    help="How long the lab server keeps an idle connection open.  [default: 5s]",
)
server_busy = click.option(
    "--server-busy",
    type=BUSY,
    metavar="FOR/EVERY",
    help="Block the lab server's event loop FOR a while EVERY so often, as 20ms/1s.",
)
tls = click.option(
    "--tls",
    is_flag=True,
    default=None,
    help="Let the lab server speak TLS, with a certificate made for the run (extra: econnlab[tls]).",
)
show_scenario = click.option(
    "--show-scenario", is_flag=True, help="Print the TOML of what would run, and run nothing."
)
when_full = click.option(
    "--when-full",
    type=PartName("econnlab.server.when_full"),
    help="What the lab server does with one connection more.  [default: close]",
)
url = click.option("--url", type=URL, help="Ask this server of yours, in place of the lab server.")
link = click.option(
    "--link",
    type=LINK,
    help="The path to the server: none, article, lan, region, wan, or MEDIAN~JITTER as 2ms~0.5.  "
    "[default: article]",
)
sessions = click.option(
    "--sessions",
    type=POSITIVE,
    metavar="N",
    help="Clients side by side at each interval, each with its own connection.  [default: 1]",
)
requests = click.option(
    "--requests", type=POSITIVE, metavar="N", help="Requests per session, one after another.  [default: 10]"
)
seed = click.option(
    "--seed", type=int, help="For the delays of the link and the order of starts.  [default: 1]"
)
run_seed = click.option("--seed", type=int, help="In place of each scenario's own.")


class _Renamed(click.Option):
    """An option whose second name is an earlier one: it still works, and the help does not show it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option under its first name."""
        names, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


_CLIENT_OPTIONS = (
    click.option(
        "--client", type=PartName("econnlab.client.kinds"), help="The client under test.  [default: requests]"
    ),
    click.option(
        "--method",
        type=click.Choice(["GET", "HEAD", "POST", "PUT", "DELETE"], case_sensitive=False),
        metavar="METHOD",
        help="GET, HEAD, POST, PUT or DELETE, for every request.  [default: GET]",
    ),
    click.option(
        "--stale-check/--no-stale-check",
        default=None,
        help="Let the client look whether a connection was closed before it reuses it, as urllib3 does.  "
        "[default: stale-check]",
    ),
    click.option(
        "--retry",
        type=PartName("econnlab.client.policies"),
        metavar="POLICY",
        help="Try again as this library does: none, urllib3, requests, axios-retry-3, axios-retry-4, "
        "aiohttp, undici, go, curl, botocore, tenacity, nginx or got; by default none.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        metavar="N",
        help="Try at most N times more, in place of the policy's own number; without --retry by urllib3's "
        "Retry. Every attempt is recorded.  [default: 0]",
    ),
    click.option(
        "--idle-limit",
        type=DURATION,
        help="Let the client replace connections that were idle for longer; by default none.",
    ),
    click.option(
        "--honour-keep-alive",
        "--heed-keep-alive",
        cls=_Renamed,
        type=DURATION,
        metavar="MARGIN",
        help="The client obeys Keep-Alive: timeout=N: it reuses no connection in the last MARGIN of it.",
    ),
    click.option(
        "--connection-close", is_flag=True, default=None, help="A new connection for every request."
    ),
    click.option(
        "--ping", is_flag=True, default=None, help="Ask OPTIONS * on an idle connection before it is reused."
    ),
    click.option(
        "--tcp-keepalive",
        type=DURATION,
        help="Let the kernel probe connections that have been silent for so long: whole seconds.",
    ),
    click.option(
        "--idempotency-key",
        is_flag=True,
        default=None,
        help="Send Idempotency-Key with each attempt of a request, and let the lab server heed it.",
    ),
    click.option(
        "--pool",
        type=POSITIVE,
        metavar="N",
        help="Connections in a session's pool; they are used in turn with --pool-order fifo.  [default: 1]",
    ),
    click.option(
        "--pool-order",
        type=click.Choice(["lifo", "fifo"]),
        help="Which idle connection is taken up: the one used last, or each in turn.  [default: lifo]",
    ),
    click.option(
        "--timeout",
        type=DURATION,
        help="How long the client waits for a connection, and for the whole response.  [default: 10s]",
    ),
)


def client_options(function: F) -> F:
    """The client under test and how it is set up."""
    for option in reversed(_CLIENT_OPTIONS):
        function = option(function)
    return function


def format_options(function: F, formats: str = FORMATS) -> F:
    """``--csv FILE``, ``--json FILE``: an option per format."""
    for name, module in reversed(parts(formats).items()):
        function = click.option(f"--{name}", metavar="FILE", help=f"Write {module.HELP}; - is stdout.")(
            function
        )
    return function


def formats_of(package: str) -> Callable[[F], F]:
    """``format_options`` of another package than that of runs."""
    return lambda function: format_options(function, package)


def output_options(function: F) -> F:
    """An option per format, ``--save FILE`` for the record itself, what is to be had of the packets."""
    save = click.option(
        "--save",
        metavar="FILE",
        help="Write every attempt and event as JSON Lines, as they happen; - is stdout.",
    )
    capture = click.option(
        "--capture",
        metavar="FILE",
        help="Write the packets as pcapng for Wireshark, each attempt's verdict as a comment on its packet.",
    )
    timeline = click.option(
        "--timeline", is_flag=True, help="Draw a failure of each cause: who sent which packet when."
    )
    return format_options(save(capture(timeline(function))))


# -- what they make -------------------------------------------------------------------------------

_SERVER = {
    "keepalive_timeout": "keepalive_timeout_ms",
    "advertise": "advertise",
    "keepalive_buffer": "keepalive_buffer_ms",
    "max_connections": "max_connections",
    "when_full": "when_full",
    "close_with": "close_with",
    "response_delay": "response_delay_ms",
    "response_size": "response_size",
    "tls": "tls",
    "host": "host",
    "port": "port",
}
_CLIENT = {
    "client": "kind",
    "method": "method",
    "stale_check": "stale_check",
    "retry": "retry",
    "retries": "retries",
    "idle_limit": "idle_limit_ms",
    "honour_keep_alive": "honour_keep_alive_ms",
    "connection_close": "connection_close",
    "ping": "ping",
    "tcp_keepalive": "tcp_keepalive_ms",
    "idempotency_key": "idempotency_key",
    "pool": "pool_size",
    "timeout": "timeout_ms",
}
_PLAN = {"intervals": "intervals_ms", "sessions": "sessions", "clients": "sessions", "requests": "requests"}
_SCENARIO = {"link": "link", "seed": "seed"}


def scenario_of(name: str, values: dict[str, Any]) -> Scenario:
    """The scenario ``name`` with what the options in ``values`` change.

    Raises UsageError where a server is described and a URL given: that server is not ours to set.
    """
    from dataclasses import replace

    from econnlab.scenario.catalogue import load

    scenario = load(name)
    assert scenario.server is not None
    if values["url"] is None:
        server, url = served(values, scenario.server), None
    else:
        server, url = None, values["url"]
        _refuse_beside_url(values)
    return replace(
        scenario,
        server=server,
        url=url,
        client=asked(values, scenario.client),
        plan=replace(scenario.plan, **_given(_PLAN, values)),
        **_given(_SCENARIO, values),
    )


def asked(values: dict[str, Any], spec: ClientSpec) -> ClientSpec:
    """The client ``spec`` with what the options in ``values`` change."""
    from dataclasses import replace

    from econnlab.scenario.client import PoolOrder

    changes = _given(_CLIENT, values)
    if values.get("pool_order") is not None:
        changes["pool_order"] = PoolOrder(values["pool_order"])
    return replace(spec, **changes)


def served(values: dict[str, Any], spec: ServerSpec) -> ServerSpec:
    """The lab server ``spec`` with what the options in ``values`` change."""
    from dataclasses import replace

    changes = _given(_SERVER, values)
    if values.get("server_busy") is not None:
        changes["busy_for_ms"], changes["busy_every_ms"] = values["server_busy"]
    if values.get("idempotency_key"):
        changes["idempotency_keys"] = True
    return replace(spec, **changes)


def _given(fields: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    return {field: values[option] for option, field in fields.items() if values.get(option) is not None}


def _refuse_beside_url(values: dict[str, Any]) -> None:
    for name in (*_SERVER, "server_busy"):
        if values.get(name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option} is about the lab server; with --url it is your server that decides. Leave one out."
            )

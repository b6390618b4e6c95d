"""Options that several commands share, and the scenario's parts they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from econnlab.cli.params import BUSY, DURATION, LINK, URL, PartName
from econnlab.discovery import parts

if TYPE_CHECKING:
    from econnlab.scenario.model import ClientSpec, ServerSpec

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = "econnlab.report.formats"
POSITIVE = click.IntRange(min=1)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator of several, listed in the help in this order."""

    def apply(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


# Defaults are strings: they are shown as they stand, and parsed like what a user types.
keepalive_timeout = click.option(
    "--keepalive-timeout",
    type=DURATION,
    default="5000ms",
    show_default=True,
    help="How long the lab server keeps an idle connection open.",
)
server_busy = click.option(
    "--server-busy",
    type=BUSY,
    metavar="FOR/EVERY",
    help="Block the lab server's event loop FOR a while EVERY so often, as 20ms/1s.",
)
url = click.option("--url", type=URL, help="Ask this server of yours, in place of the lab server.")
link = click.option(
    "--link",
    type=LINK,
    default="article",
    show_default=True,
    help="The path to the server: none, article, lan, region, wan, or MEDIAN~JITTER as 2ms~0.5.",
)
sessions = click.option(
    "--sessions",
    type=POSITIVE,
    default=1,
    show_default=True,
    help="Clients side by side at each interval, each with its own connection.",
)
requests = click.option(
    "--requests",
    type=POSITIVE,
    default=10,
    show_default=True,
    help="Requests per session, one after another.",
)
client_options = together(
    click.option(
        "--client",
        type=PartName("econnlab.client.kinds"),
        default="requests",
        show_default=True,
        help="The client under test.",
    ),
    click.option(
        "--method",
        type=click.Choice(["GET", "HEAD", "POST", "PUT", "DELETE"], case_sensitive=False),
        default="GET",
        show_default=True,
        help="The method of every request.",
    ),
    click.option(
        "--stale-check/--no-stale-check",
        default=True,
        show_default=True,
        help="Let the client look whether a connection was closed before it reuses it, as urllib3 does.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=0,
        show_default=True,
        help="Let urllib3's own Retry try again this often; every attempt is recorded.",
    ),
    click.option(
        "--timeout", type=DURATION, default="10s", show_default=True, help="How long the client waits."
    ),
)
seed = click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="For the delays of the link and the order of starts.",
)


def format_options(function: F) -> F:
    """``--csv FILE``, ``--json FILE``: an option per format."""
    for name, module in reversed(parts(FORMATS).items()):
        function = click.option(f"--{name}", metavar="FILE", help=f"Write {module.HELP}; - is stdout.")(
            function
        )
    return function


def output_options(function: F) -> F:
    """An option per format, and ``--save FILE`` for the record itself."""
    save = click.option(
        "--save", metavar="FILE", help="Write every attempt and event as JSON Lines, as they happen."
    )
    return format_options(save(function))


def client_spec(values: dict[str, Any]) -> ClientSpec:
    """The ClientSpec in a command's ``values``."""
    from econnlab.scenario.model import ClientSpec

    return ClientSpec(
        kind=values["client"],
        stale_check=values["stale_check"],
        retries=values["retries"],
        timeout_ms=values["timeout"],
        method=values["method"],
    )


def refuse_beside_url(context: click.Context, *names: str) -> None:
    """Options that describe the lab server say nothing about the user's own.

    Raises UsageError where one of ``names`` was given.
    """
    for name in names:
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            option = next(parameter for parameter in context.command.params if parameter.name == name)
            raise click.UsageError(
                f"{option.opts[0]} is about the lab server; with --url it is your server that decides. "
                "Leave one out.",
                context,
            )


def server_or_url(context: click.Context, values: dict[str, Any]) -> tuple[ServerSpec | None, str | None]:
    """The lab server as ``values`` describe it, or the user's URL in its place."""
    described = {"keepalive_timeout", "server_busy", "max_connections", "when_full"} & values.keys()
    if values["url"] is not None:
        refuse_beside_url(context, *sorted(described))
        return None, values["url"]
    return served(values), None


def served(values: dict[str, Any]) -> ServerSpec:
    """The lab server that the options in ``values`` describe; options a command lacks keep their default."""
    from econnlab.scenario.model import ServerSpec

    fields = {
        "keepalive_timeout": "keepalive_timeout_ms",
        "advertise": "advertise",
        "keepalive_buffer": "keepalive_buffer_ms",
        "max_connections": "max_connections",
        "when_full": "when_full",
        "close_with": "close_with",
        "response_delay": "response_delay_ms",
        "response_size": "response_size",
        "host": "host",
        "port": "port",
    }
    settings = {field: values[option] for option, field in fields.items() if option in values}
    if values.get("server_busy") is not None:
        settings["busy_for_ms"], settings["busy_every_ms"] = values["server_busy"]
    return ServerSpec(**settings)

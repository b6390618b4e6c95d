"""Options that several commands share, and the scenario that they make of the one the command begins with.

An option that is not given is None and keeps the value of scenarios/*.toml. The default in its help repeats
that value, and a test holds the two together. The option's parameter has the name of the field that it sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from econnlab.cli.command import CLIENT, EXPERIMENT, LINK, OUTPUT, SERVER, Decorator, formats, option
from econnlab.cli.params import BUSY, DURATION, POOL_ORDER, URL, PartName, PeerWord
from econnlab.cli.params import LINK as LINK_VALUE

if TYPE_CHECKING:
    from econnlab.scenario.model import Scenario
    from econnlab.scenario.server import ServerSpec

F = TypeVar("F", bound=Callable[..., Any])
Spec = TypeVar("Spec")
POSITIVE = click.IntRange(min=1)
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]

# -- the options ----------------------------------------------------------------------------------

keepalive_timeout = option(
    "--keepalive-timeout",
    "keepalive_timeout_ms",
    type=DURATION,
    group=SERVER,
    help="How long the lab server keeps an idle connection open.  [default: 5s]",
)
server_busy = option(
    "--server-busy",
    type=BUSY,
    group=SERVER,
    metavar="FOR/EVERY",
    help="Block the lab server's event loop FOR a time EVERY so often: 20ms/1s.",
)
tls = option(
    "--tls",
    is_flag=True,
    default=None,
    group=SERVER,
    help="Speak TLS, with a certificate made for the run (extra: econnlab[tls]).",
)
show_scenario = option(
    "--show-scenario", is_flag=True, group=OUTPUT, help="Print the run as a TOML scenario, and do not run it."
)
when_full = option(
    "--when-full",
    type=PartName("econnlab.server.when_full"),
    group=SERVER,
    help="What the lab server does with a connection above its limit.  [default: close]",
)
server = option(
    "--server",
    "peer",
    type=PeerWord("econnlab.peers.servers"),
    metavar="NAME[@VERSION]",
    group=SERVER,
    help="A real server instead of the lab's: node, node@14.18.0, uvicorn, nginx; econnlab peers lists them.",
)
url = option("--url", type=URL, group=SERVER, help="Test this server of yours instead of the lab server.")
link = option(
    "--link",
    type=LINK_VALUE,
    group=LINK,
    help="The path to the server: none, article, lan, region, wan, or MEDIAN~JITTER as 2ms~0.5.  "
    "[default: article]",
)
sessions = option(
    "--sessions",
    type=POSITIVE,
    group=EXPERIMENT,
    metavar="N",
    help="Clients side by side at each interval, each with its own connection.  [default: 1]",
)
requests = option(
    "--requests",
    type=POSITIVE,
    group=EXPERIMENT,
    metavar="N",
    help="Requests per session, one after another.  [default: 10]",
)
seed = option(
    "--seed",
    type=int,
    group=EXPERIMENT,
    help="Seed for the link's delays and the order of starts.  [default: 1]",
)
run_seed = option("--seed", type=int, group=EXPERIMENT, help="Replace the seed of each scenario.")
client = option(
    "--client",
    "kind",
    type=PeerWord("econnlab.client.kinds", "econnlab.peers.clients"),
    metavar="NAME[@VERSION]",
    group=CLIENT,
    help="The client under test: requests, urllib3 or http.client in the lab's own process; a real one "
    "(econnlab peers lists them) as axios or axios@0.22.0; or ./PROGRAM.  [default: requests]",
)
_CLIENT_OPTIONS = (
    client,
    option(
        "--method",
        type=click.Choice(METHODS, case_sensitive=False),
        metavar="METHOD",
        group=CLIENT,
        help="GET, HEAD, POST, PUT or DELETE, for every request.  [default: GET]",
    ),
    option(
        "--stale-check/--no-stale-check",
        default=None,
        group=CLIENT,
        help="Check whether a connection was closed before reusing it, as urllib3 does.  "
        "[default: stale-check]",
    ),
    option(
        "--retry",
        type=PeerWord("econnlab.client.policies", "econnlab.peers.retries"),
        metavar="POLICY",
        group=CLIENT,
        help="Retry as this library does: none, urllib3, requests, axios-retry-3, axios-retry-4, "
        "aiohttp, undici, go, curl, botocore, tenacity, nginx, got or nuxt-axios; by default none.",
    ),
    option(
        "--retries",
        type=click.IntRange(0, 100),
        metavar="N",
        group=CLIENT,
        help="Retry at most N times, instead of the policy's own number; without --retry the policy is "
        "urllib3's. Every attempt is recorded.  [default: 0]",
    ),
    option(
        "--idle-limit",
        "idle_limit_ms",
        type=DURATION,
        group=CLIENT,
        help="Replace connections that were idle for longer than this; by default none.",
    ),
    option(
        "--honour-keep-alive",
        "--heed-keep-alive",
        "honour_keep_alive_ms",
        former=("--heed-keep-alive",),
        type=DURATION,
        metavar="MARGIN",
        group=CLIENT,
        help="Follow the server's Keep-Alive: timeout=N: do not reuse a connection in the last MARGIN of N.",
    ),
    option(
        "--connection-close",
        is_flag=True,
        default=None,
        group=CLIENT,
        help="Open a new connection for every request.",
    ),
    option(
        "--ping",
        is_flag=True,
        default=None,
        group=CLIENT,
        help="Send OPTIONS * on an idle connection before reusing it.",
    ),
    option(
        "--tcp-keepalive",
        "tcp_keepalive_ms",
        type=DURATION,
        group=CLIENT,
        help="Let the kernel probe connections that have been silent for so long, in whole seconds.",
    ),
    option(
        "--idempotency-key",
        is_flag=True,
        default=None,
        group=CLIENT,
        help="Send the same Idempotency-Key with each attempt of a request; the lab server honours it.",
    ),
    option(
        "--pool",
        "pool_size",
        type=POSITIVE,
        metavar="N",
        group=CLIENT,
        help="Connections in a session's pool; --pool-order fifo uses them in turn.  [default: 1]",
    ),
    option(
        "--pool-order",
        type=POOL_ORDER,
        group=CLIENT,
        help="Which idle connection to reuse: the one used last (lifo) or each in turn (fifo).  "
        "[default: lifo]",
    ),
    option(
        "--timeout",
        "timeout_ms",
        type=DURATION,
        group=CLIENT,
        help="How long the client waits for a connection, and for the whole response.  [default: 10s]",
    ),
)


def client_options(function: F) -> F:
    """The client under test and how it is set up."""
    for each in reversed(_CLIENT_OPTIONS):
        function = each(function)
    return function


def run_outputs(*packages: str) -> Decorator:
    """``files``: the formats of ``packages``, the record, and what needs the packets of the run."""
    save = option(
        "--save",
        metavar="FILE",
        group=OUTPUT,
        help="Write every attempt and event as JSON Lines while the run goes on; - is stdout.",
    )
    capture = option(
        "--capture",
        metavar="FILE",
        group=OUTPUT,
        help="Write the packets as pcapng for Wireshark, with each attempt's verdict as a comment.",
    )
    timeline = option(
        "--timeline",
        is_flag=True,
        group=OUTPUT,
        help="Draw one failure of each cause: who sent which packet when.",
    )
    return formats(*packages, more={"save": save, "capture": capture, "timeline": timeline})


# -- what they make -------------------------------------------------------------------------------


def scenario_of(name: str, values: Mapping[str, Any]) -> Scenario:
    """The scenario ``name`` with the changes that the options in ``values`` ask for.

    Raises UsageError if options set the lab server beside a URL, which replaces it.
    """
    from econnlab.scenario.catalogue import load
    from econnlab.scenario.client import PROGRAM

    scenario = load(name)
    assert scenario.server is not None
    if values.get("program"):
        values = {**values, "kind": PROGRAM}
    if values["url"] is not None:
        _refuse_beside_url(values, scenario.server)
    return changed(
        scenario,
        values,
        server=served(values, scenario.server) if values["url"] is None else None,
        client=changed(scenario.client, values, tls=scenario.client.tls),
        plan=changed(scenario.plan, values),
    )


def served(values: Mapping[str, Any], spec: ServerSpec) -> ServerSpec:
    """The lab server ``spec`` with the changes that the options in ``values`` ask for."""
    more: dict[str, Any] = {}
    if values.get("server_busy") is not None:
        more["busy_for_ms"], more["busy_every_ms"] = values["server_busy"]
    if values.get("idempotency_key"):
        more["idempotency_keys"] = True
    return changed(spec, values, **more)


def changed(spec: Spec, values: Mapping[str, Any], **more: Any) -> Spec:
    """``spec`` with those of ``values`` that are called like its fields and were given, and with ``more``."""
    from dataclasses import fields, replace

    names = [each.name for each in fields(spec)]  # type: ignore[arg-type]
    given = {name: values[name] for name in names if values.get(name) is not None}
    return replace(spec, **{**given, **more})  # type: ignore[type-var]


def _refuse_beside_url(values: Mapping[str, Any], spec: ServerSpec) -> None:
    for name in (*vars(spec), "server_busy"):
        if values.get(name) is not None:
            option_name = f"--{name.removesuffix('_ms').replace('_', '-')}"
            raise click.UsageError(
                f"{option_name} is about the lab server, which --url replaces; leave one out."
            )

"""Failures of real clients with real servers and with the lab's, and the causes that can be behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.checks import check
from econnlab.lab.workers import Workers
from econnlab.record.run import Run
from econnlab.scenario.catalogue import load
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.expect import Count, Expect
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Middlebox, Plan, Scenario
from econnlab.scenario.server import ServerSpec
from tests.support.blind import Score, judge

CLIENTS = ("axios@0.22.0", "axios", "node", "got", "undici", "fetch", "httpx", "aiohttp", "curl")
#: With the interval that meets the end of one second: Node 20.18, 22.9 and later wait a second longer.
SERVERS = (
    ("node@14.18.0", 985), ("node@18.20.8", 985), ("node@22.23.3", 1985), ("express", 1985), ("uvicorn", 985),
    ("gunicorn", 985), ("hypercorn", 985), ("aiohttp.web", 985), ("nginx", 985), ("haproxy", 985),
)  # fmt: skip
LIMITED = ("node@14.18.0", "node@22.23.3", "express")
#: What the lab's server and the link do to real clients.
TROUBLES = (
    "close-after-response", "crash-read", "idle-drop-rst", "max-requests", "not-listening",
    "reset-after-processing", "restart-abrupt", "truncated-chunked-fin", "truncated-chunked-rst",
    "truncated-fin", "truncated-rst",
)  # fmt: skip
NEVER = ClientSpec(timeout_ms=Decimal(2000))


def scenarios() -> Iterator[Scenario]:
    """Every pair, and every client under each trouble, with the causes that are right."""
    for server, interval in SERVERS:
        for client in CLIENTS:
            yield race(server, client, interval)
            yield forgotten(server, client)
    for server in LIMITED:
        for client in CLIENTS:
            yield full(server, client)
    for name in TROUBLES:
        for client in CLIENTS:
            yield troubled(name, client)


def race(server: str, client: str, interval: int) -> Scenario:
    """Only the server's idle timer ends connections. What it finds unread it resets."""
    return _named(
        Scenario(
            f"race {server} {client}",
            server=ServerSpec(peer=server, keepalive_timeout_ms=Decimal(1000)),
            link=parse_link("20ms"),
            client=replace(NEVER, kind=client),
            plan=Plan((Decimal(interval),), sessions=6, requests=3),
        ),
        "keepalive_race", "unread_data",
    )  # fmt: skip


def forgotten(server: str, client: str) -> Scenario:
    """A middlebox on the way forgets idle connections, and resets what comes later."""
    return _named(
        Scenario(
            f"forgotten {server} {client}",
            server=ServerSpec(peer=server, keepalive_timeout_ms=Decimal(30_000)),
            middlebox=Middlebox(Decimal(200)),
            client=replace(NEVER, kind=client),
            plan=Plan((Decimal(400),), sessions=3, requests=3),
        ),
        "idle_drop",
    )  # fmt: skip


def full(server: str, client: str) -> Scenario:
    """A server that allows one connection."""
    return _named(
        Scenario(
            f"full {server} {client}",
            server=ServerSpec(peer=server, max_connections=1),
            link=parse_link("2ms"),
            client=replace(NEVER, kind=client),
            plan=Plan((Decimal(1000),), sessions=4, requests=1, together=True),
        ),
        "over_capacity",
    )  # fmt: skip


def troubled(name: str, client: str) -> Scenario:
    """One of the lab's scenarios with a real client."""
    scenario = load(name)
    assert scenario.expect is not None and scenario.expect.causes is not None
    spec = replace(NEVER, kind=client, method=scenario.client.method, body_size=scenario.client.body_size)
    return _named(replace(scenario, name=f"{name} {client}", client=spec), *scenario.expect.causes)


def _named(scenario: Scenario, *causes: str) -> Scenario:
    return replace(scenario, expect=Expect(causes={cause: Count(0, None) for cause in causes}))


def perform(chosen: Sequence[Scenario], jobs: int) -> tuple[list[Run], Counter[str]]:
    """The runs of ``chosen``, and why the others could not be made."""
    runs, missing = [], Counter[str]()
    able = []
    for scenario in chosen:
        try:
            check(scenario)
            able.append(scenario)
        except (EnvironmentProblem, UsageProblem) as problem:
            missing[problem.message] += 1
    with Workers(able, jobs) as workers:
        for done in filter(None, workers.results()):
            if done.run is None or done.error is not None:
                missing[f"{done.scenario.name}: {done.error}"] += 1
            else:
                runs.append(done.run)
    return runs, missing


def unknown(score: Score) -> int:
    """How many failures were named ``unknown``."""
    return sum(count for said, count in score.wrong.items() if ": unknown: " in said)


__all__ = ["judge", "perform", "scenarios", "unknown"]

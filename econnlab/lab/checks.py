"""Checks of a scenario before it runs, beyond what its types ensure."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from econnlab.discovery import parts
from econnlab.errors import UsageProblem, did_you_mean
from econnlab.lab.client_peer import KINDS, find_client
from econnlab.peers.server_peer import find_server
from econnlab.peers.store import find_program
from econnlab.scenario.catalogue import load, read_file
from econnlab.scenario.client import PROGRAM, ClientSpec
from econnlab.scenario.model import Scenario

_OF_LAB_CLIENTS = frozenset(
    """stale_check idle_limit_ms honour_keep_alive_ms ping tcp_keepalive_ms pool_size pool_order blocked_ms
    replayable tls""".split()
)


def check(scenario: Scenario) -> None:
    """Raises UsageProblem if ``scenario`` names a part that does not exist, or contradicts itself."""
    kinds = parts(KINDS)
    if scenario.client.kind in kinds:
        _known("client.retry", scenario.client.policy, "econnlab.client.policies")
    elif scenario.client.kind == PROGRAM:
        _refuse_lab_settings(scenario.client)
        _check_program(scenario)
    else:
        _refuse_lab_settings(scenario.client)
        find_client(scenario.client)
    if scenario.proxy is not None:
        _known("proxy.kind", scenario.proxy.kind, "econnlab.peers.proxies")
    server = scenario.server
    if server is None:
        return
    if server.peer is not None:
        find_server(server)
        return
    _known("server.when_full", server.when_full, "econnlab.server.when_full")
    if server.tls and not (scenario.client.kind in kinds and kinds[scenario.client.kind].TLS):
        raise UsageProblem(
            f"client.kind: {scenario.client.kind} speaks no TLS here.", "Take requests or urllib3."
        )


def ensure_peers(scenario: Scenario) -> None:
    """Raises EnvironmentProblem if a program that ``scenario`` needs is not installed."""
    if scenario.proxy is not None:
        proxy = parts("econnlab.peers.proxies")[scenario.proxy.kind]
        find_program(proxy.PROGRAM, proxy.PACKAGE)
    if scenario.client.kind != PROGRAM and scenario.client.kind not in parts(KINDS):
        find_client(scenario.client)


def _refuse_lab_settings(client: ClientSpec) -> None:
    """A setting that only the clients in the lab's own process have."""
    for field in fields(client):
        if field.name in _OF_LAB_CLIENTS and getattr(client, field.name) != field.default:
            name = field.name.removesuffix("_ms")
            raise UsageProblem(
                f"client.{name}: the lab's own clients have it, {client.kind} does not.",
                "Leave it out, or take requests, urllib3 or http.client.",
            )


def _check_program(scenario: Scenario) -> None:
    if not scenario.client.program:
        raise UsageProblem("client.program: there is no command.", "Give the words that start it.")
    if not scenario.relayed or scenario.server is None or scenario.server.peer is not None:
        raise UsageProblem(
            "A program of yours is known by the ledgers of the link and the lab server alone.",
            "Leave out --link none, --url and --server.",
        )


def _known(where: str, name: str, package: str) -> None:
    known = parts(package)
    if name not in known:
        raise UsageProblem(f"{where}: there is no {name!r}.", did_you_mean(name, known))


def read_scenario(name_or_file: str) -> Scenario:
    """The scenario of that name, or in that file. Raises UsageProblem."""
    is_file = name_or_file.endswith(".toml") or "/" in name_or_file
    scenario = read_file(Path(name_or_file)) if is_file else load(name_or_file)
    try:
        check(scenario)
    except UsageProblem as problem:
        raise UsageProblem(f"{name_or_file}: {problem.message}", problem.hint) from problem
    return scenario

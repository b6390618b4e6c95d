"""Each server peer starts, keeps an idle connection for the timeout it was given, and loses requests."""

from __future__ import annotations

import json
import re

import pytest

from econnlab.errors import EnvironmentProblem
from econnlab.lab.listeners import bind
from econnlab.peers.catalogue import Role, peers
from econnlab.peers.measured import idle_seconds
from econnlab.peers.server_peer import ServerPeer
from econnlab.scenario.durations import parse_duration
from econnlab.scenario.server import ServerSpec
from tests.support.schemas import schema

SERVERS = [peer.name for peer in peers(Role.SERVER)]
#: Node adds a second that it does not advertise (node PR #54863), in 20.18, 22.9 and later.
HIDDEN_MS = 1000
#: A server looks for idle connections every so often, and this machine is busy.
LATE_S = 4.0
#: Their timers fire within milliseconds. Node adds a second; gunicorn and waitress look every so often.
EXACT = ("uvicorn", "hypercorn", "aiohttp.web", "nginx", "haproxy")
NODES = ["14.18.0", "18.20.8", "20", "22.23.3", "24.21.0"]


def started(name, timeout, **more):
    spec = ServerSpec(peer=name, keepalive_timeout_ms=parse_duration(timeout), **more)
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    try:
        server = ServerPeer(spec, port)
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    try:
        server.wait_until_listening()
        return idle_seconds(port, iter(lambda: False, True)), server.version
    finally:
        server.stop()


@pytest.mark.parametrize("name", [*SERVERS, *(f"node@{version}" for version in NODES)])
def test_a_server_keeps_an_idle_connection_for_the_timeout_it_was_given(name):
    seen, version = started(name, "1s")
    assert seen is not None
    # waitress looks at whole seconds of time.time() (channel.py, last_activity against now - timeout).
    least = 0.9 if name != "waitress" else 0.0
    assert least <= seen < 1.0 + HIDDEN_MS / 1000 + LATE_S
    assert re.search(r"\d+\.\d+", version)


@pytest.mark.parametrize("name", SERVERS)
def test_a_run_against_a_real_server_names_the_race(cli, name):
    done = cli.run(
        "keepalive", "--server", name, "--keepalive-timeout", "1s", "--interval", "980", "--link", "20ms",
        "--requests", "2", "--sessions", "6", "--json", "-",
    )  # fmt: skip
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    causes = {failure["cause"] for failure in run["failures"]}
    assert causes <= {"keepalive_race", "unread_data"}
    if name in EXACT:
        assert "keepalive_race" in causes


def test_what_a_server_cannot_be_given_is_said(cli):
    done = cli.run("maxconn", "--server", "hypercorn")
    assert done.returncode == 2
    assert "hypercorn cannot be given max_connections: hypercorn has no limit of connections" in done.stderr
    done = cli.run("keepalive", "--server", "uvicorn", "--keepalive-timeout", "500")
    assert done.returncode == 2
    assert "in steps of 1000 ms" in done.stderr


def test_a_server_that_is_not_installed_names_the_line_that_installs_it(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("ECONNLAB_PEERS", str(tmp_path / "none"))
    done = cli.run("keepalive", "--server", "node@16.1.0", "--interval", "100")
    assert done.returncode == 3
    assert "node@16.1.0 is not installed.\nRun `econnlab peers install node@16.1.0`." in done.stderr


def test_the_list_of_peers_is_told_as_json(cli):
    import jsonschema

    done = cli.run("peers", "--json", "-")
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema("peers"))
    names = {(peer["role"], peer["name"]) for peer in document["peers"]}
    assert {("server", "node"), ("client", "axios"), ("retry", "axios-retry")} <= names

"""Each client peer: it speaks the protocol, loses a request, and names the error as its users know it."""

from __future__ import annotations

import json

import pytest

from econnlab.peers.catalogue import Role, peers

CLIENTS = [peer.name for peer in peers(Role.CLIENT)]
#: What each says when the server ends the connection under a request that it has read, and when it resets it.
CLOSED = {
    "node": "socket hang up", "axios": "socket hang up", "got": "socket hang up",
    "undici": "UND_ERR_SOCKET: other side closed", "fetch": "UND_ERR_SOCKET: other side closed",
    "requests": "RemoteDisconnected", "urllib3": "RemoteDisconnected", "httpx": "RemoteProtocolError",
    "aiohttp": "ServerDisconnectedError", "curl": "curl: (52) Empty reply from server",
}  # fmt: skip
RESET = {
    "node": "read ECONNRESET", "axios": "read ECONNRESET", "got": "read ECONNRESET",
    "undici": "read ECONNRESET", "fetch": "read ECONNRESET",
    "requests": "ConnectionResetError", "urllib3": "ConnectionResetError", "httpx": "ConnectionResetError",
    "aiohttp": "ConnectionResetError", "curl": "curl: (56) Recv failure: Connection reset by peer",
}  # fmt: skip
SCENARIO = """
link = "none"
[server.fault]
at = "read"
by = "{by}"
[client]
kind = "{kind}"
method = "POST"
[plan]
intervals = "50ms"
sessions = 2
requests = 2
"""


def attempts(cli, kind, by):
    """The failed attempts of a client whose every request the server ends."""
    (cli.folder / "ended.toml").write_text(SCENARIO.format(kind=kind, by=by))
    done = cli.run("run", "ended.toml", "--save", "run.jsonl")
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (cli.folder / "run.jsonl").read_text().splitlines()
    return [json.loads(line)["attempt"] for line in lines if line.startswith('{"attempt"')]


def as_a_peer(kind):
    """The lab has clients of two of these names itself; a version makes it the peer."""
    if kind not in ("requests", "urllib3"):
        return kind
    from importlib.metadata import version

    return f"{kind}@{version(kind)}"


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_names_an_ended_connection_as_its_users_know_it(cli, kind):
    found = attempts(cli, as_a_peer(kind), "fin")
    assert len(found) == 4
    assert {each["named"] for each in found} == {CLOSED[kind]}
    assert {each["outcome"] for each in found} == {"closed"}


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_names_a_reset_as_its_users_know_it(cli, kind):
    found = attempts(cli, as_a_peer(kind), "rst")
    assert {each["outcome"] for each in found} == {"reset"}
    assert {each["named"] for each in found} == {RESET[kind]}


# curl tells how long things took, and not when they were: its times are as late as its line came.
@pytest.mark.parametrize("kind", [kind for kind in CLIENTS if kind != "curl"])
def test_a_client_speaks_the_protocol(cli, kind):
    done = cli.run("peers", "check", kind)
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout


def test_a_client_that_lies_about_its_connection_is_found(cli):
    (cli.folder / "liar.py").write_text(LIAR)
    (cli.folder / "liar").write_text(f"#!/bin/sh\nexec {__import__('sys').executable} -S liar.py\n")
    (cli.folder / "liar").chmod(0o755)
    done = cli.run("peers", "check", "./liar")
    assert done.returncode == 1
    assert "broken  each request carries its id in X-Econnlab-Request" in done.stdout
    assert "broken  local is the connection's own address" in done.stdout
    assert "broken  a session reuses its connection and says so" in done.stdout


#: It sends nothing, and says that all went well.
LIAR = """
import json, sys, time
plan = json.loads(sys.stdin.readline())
print(json.dumps({"type": "ready", "version": 1}), flush=True)
at = json.loads(sys.stdin.readline())["at"]
for session in plan["sessions"]:
    for number in range(1, session["requests"] + 1):
        now = time.monotonic()
        told = {"session": session["session"], "request": number, "id": f"{session['session']}-{number}"}
        times = {"due": at, "began": now, "sent": now, "first_byte": now, "ended": now}
        said = {"attempt": 1, "last": True, "local": "127.0.0.1:1", "reused": False, "status": 200}
        print(json.dumps({"type": "attempt", **told, **times, **said}), flush=True)
print(json.dumps({"type": "done"}), flush=True)
sys.stdin.read()
"""


def test_a_client_that_dies_in_the_middle_is_told(cli):
    (cli.folder / "dies").write_text(
        '#!/bin/sh\nread plan; echo \'{"type": "ready"}\'; echo no such thing >&2; exit 4\n'
    )
    (cli.folder / "dies").chmod(0o755)
    done = cli.run("keepalive", "--client", "./dies", "--interval", "50", "--link", "none")
    assert done.returncode == 3
    assert "The client ./dies" in done.stderr
    assert "no such thing" in done.stderr


@pytest.mark.parametrize("policy", ["axios-retry", "urllib3"])
def test_a_policy_that_the_client_does_not_run_with_is_refused(cli, policy):
    done = cli.run("keepalive", "--client", "got", "--retry", policy, "--interval", "50")
    assert done.returncode == 2
    assert "got does not run with the retries of" in done.stderr


def test_remedies_are_tried_on_a_real_client_as_far_as_it_has_them(cli):
    done = cli.run(
        "remedies", "reset-after-processing", "--client", "node", "--method", "PUT", "--sessions", "2",
        "--remedy", "connection-close", "--remedy", "idle-limit", "--remedy", "retry-got", "--json", "-",
    )  # fmt: skip
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    assert "retry-got: node does not run with the retries of got" in " ".join(done.stderr.split())
    assert "change nothing here: idle-limit" in done.stderr
    assert "connection-close" in done.stdout

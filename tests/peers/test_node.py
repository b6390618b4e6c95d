"""Node as itself: our client on node:http against ``econnlab serve``, ``--url`` against Node's own server."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import children_of
from tests.lab.test_cli_experiments import checked_json

CLIENT = Path(__file__).parent / "client.cjs"


@pytest.fixture(params=["node", "node14"])
def any_node(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def serve(cli):
    """``econnlab serve`` with these options: its URL, and after ``stop`` its ledger."""

    class Serving:
        def __init__(self, *options):
            self.process = cli.start("serve", "--port", "0", "--jsonl", "ledger.jsonl", *options)
            self.url = self.process.stdout.readline().split()[2].rstrip(",")

        def ledger(self):
            self.process.terminate()
            self.process.communicate()
            return [json.loads(line) for line in (cli.folder / "ledger.jsonl").read_text().splitlines()]

    return Serving


def ask(node, url, interval, sessions=1, requests=4):
    words = [node, str(CLIENT), url, str(interval), str(sessions), str(requests)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=50)
    return [json.loads(line) for line in done.stdout.splitlines()]


# -- Node's client, our server --------------------------------------------------------------------


def test_below_the_timeout_one_connection_serves_all(serve, any_node):
    server = serve("--keepalive-timeout", "30s", "--no-advertise")
    answers = ask(any_node, server.url, 50)
    assert [(answer["ok"], answer["reused"]) for answer in answers] == [(True, False)] + [(True, True)] * 3
    assert [event["kind"] for event in server.ledger()].count("accepted") == 1


def test_above_the_timeout_node_sees_the_close_and_opens_anew(serve, any_node):
    server = serve("--keepalive-timeout", "100", "--no-advertise")
    answers = ask(any_node, server.url, 400, requests=3)
    assert [(answer["ok"], answer["reused"]) for answer in answers] == [(True, False)] * 3
    closed = [event for event in server.ledger() if event["kind"] == "closed"]
    assert [event["reason"] for event in closed][:2] == ["idle_timeout", "idle_timeout"]


def test_at_the_timeout_whatever_node_loses_the_server_had_closed(serve, any_node):
    """40 sessions ask just as the server closes; what fails is ECONNRESET to Node, whatever the packet was.

    Some 12 % of the reused attempts are lost (measured, Node 20 over loopback; 30 % with Node 14): that
    none of 120 is has a chance below 1e-6.
    """
    server = serve("--keepalive-timeout", "200", "--no-advertise")
    answers = ask(any_node, server.url, 200, sessions=40, requests=4)
    lost = [answer for answer in answers if not answer["ok"]]
    ledger = server.ledger()
    accepted = [event for event in ledger if event["kind"] == "accepted"]
    numbers = {event["peer"].rpartition(":")[2]: event["connection"] for event in accepted}
    closed = {event["connection"]: event for event in ledger if event["kind"] == "closed"}
    assert lost, "none of 120 reused attempts was lost"
    for answer in lost:
        assert (answer["code"], answer["reused"]) == ("ECONNRESET", True)
        event = closed[numbers[str(answer["localPort"])]]
        assert event["reason"] == "idle_timeout"
        if event["unread"]:
            assert answer["message"] in ("read ECONNRESET", "write ECONNRESET")


def test_node_hears_what_the_server_advertises(serve, node):
    server = serve("--keepalive-timeout", "5s")
    assert ask(node, server.url, 1, requests=1)[0]["keepAlive"] == "timeout=5"


# -- our client, Node's server --------------------------------------------------------------------


def idle_ms(failure):
    """How long the connection had been idle when the server's FIN left, by the link's ledger."""
    return float(re.search(r"server's FIN left after ([0-9.]+) ms idle", failure["evidence"])[1])


def url_run(cli, *arguments):
    done = cli.run(*arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return checked_json(done.stdout)


def test_node_14_closes_when_it_says(cli, node14, node_server):
    """At its timeout, over the article's link, near half of all reused attempts are lost."""
    document = url_run(
        cli,
        "keepalive",
        "--url",
        node_server(node14, 300),
        "--interval",
        "300",
        "--sessions",
        "20",
        "--requests",
        "4",
    )
    races = [failure for failure in document["failures"] if failure["cause"] == "keepalive_race"]
    assert races
    assert {failure["cause"] for failure in document["failures"]} <= {"keepalive_race", "unread_data"}
    for failure in races:
        assert failure["reused"]
        assert idle_ms(failure) < 1300  # Node 20 would add a second, and never closes before that


def test_node_20_closes_a_second_later_than_it_says(cli, node, node_server):
    """Node PR #54863: a hidden second on top. Below it nothing is lost, at it the race is there."""
    url = node_server(node, 200)
    below = url_run(cli, "keepalive", "--url", url, "--interval", "400", "--requests", "2", "--link", "none")
    assert below["failures"] == []
    assert below["remarks"] == ["the server says Keep-Alive: timeout=0"]
    at = url_run(cli, "keepalive", "--url", url, "--interval", "1200", "--sessions", "40", "--requests", "2")
    races = [failure for failure in at["failures"] if failure["cause"] == "keepalive_race"]
    assert races
    assert all(idle_ms(failure) > 1100 for failure in races)


def test_a_sweep_finds_where_node_14_begins_to_fail(cli, node14, node_server):
    document = url_run(
        cli, "sweep", "100,300,600", "--url", node_server(node14, 300), "--sessions", "40", "--requests", "2"
    )
    failures = {row["interval_ms"]: row["failure"] for row in document["rows"]}
    assert failures[300] > 0
    reused = {failure["row"] for failure in document["failures"] if failure["reused"]}
    assert 1 in reused


def test_maxconn_finds_nodes_limit(cli, any_node, node_server):
    document = url_run(cli, "maxconn", "--url", node_server(any_node, 5000, 5), "--clients", "20")
    (row,) = document["rows"]
    assert (row["success"], row["failure"], row["over_capacity"]) == (5, 15, 15)
    assert {failure["outcome"] for failure in document["failures"]} <= {"closed", "reset"}


def test_retries_rescue_what_node_14_drops(cli, node14, node_server):
    document = url_run(
        cli, "keepalive", "--url", node_server(node14, 200), "--interval", "200", "--sessions", "20",
        "--requests", "4", "--retries", "3",
    )  # fmt: skip
    (row,) = document["rows"]
    assert row["failure"] == 0
    assert row["rescued"] > 0


def test_nothing_of_ours_is_left_when_the_users_server_dies(cli, node, node_server):
    url = node_server(node, 5000)
    process = cli.start("keepalive", "--url", url, "--interval", "20", "--requests", "1000")
    for line in process.stdout:
        if line.startswith("Success"):
            break
    (link,) = children_of(process.pid)
    process.terminate()
    process.communicate()
    assert not Path(f"/proc/{link}").exists()

"""A server of the user's own in place of the lab's: what is known without its ledger, what goes wrong."""

import json
import socket
import threading
from decimal import Decimal

import pytest

from econnlab.record.events import Kind
from tests.conftest import DEADLINE_S
from tests.lab.test_cli_experiments import checked_json, rows_of
from tests.lab.test_clients import OK, fin, rst, send_then, take_request, then, wait_for_client


def url_of(address):
    return "http://{}:{}/".format(*address)


def ask(cli, address, *arguments, command="keepalive"):
    usual = ["--interval", "20", "--requests", "2"] if command == "keepalive" else []
    return cli.run(command, "--url", url_of(address), *usual, *arguments)


NO = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
SSH = b"SSH-2.0-OpenSSH\r\n\r\n"


@pytest.mark.parametrize("link", ["none", "article"])
@pytest.mark.parametrize(
    ("treat", "outcome", "cause", "said"),
    [
        pytest.param(
            then(NO, NO, fin), "http_error", "error_response", "server answered 500", id="answers 500"
        ),
        pytest.param(then(wait_for_client), "timeout", "slow_response", "no answer came", id="never answers"),
        pytest.param(
            then(send_then(SSH, wait_for_client)),
            "other",
            "invalid_response",
            "BadStatusLine",
            id="sends garbage",
        ),
        pytest.param(then(fin), "closed", "unknown", "before any response", id="closes"),
        pytest.param(then(rst), "reset", "unknown", "before any response", id="resets"),
    ],
)
def test_a_server_that_does_not_answer_well(cli, scripted, treat, outcome, cause, said, link):
    done = ask(cli, scripted(treat), "--timeout", "300", "--link", link, "--json", "-")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    document = checked_json(done.stdout)
    assert {(failure["outcome"], failure["cause"]) for failure in document["failures"]} == {(outcome, cause)}
    assert said in document["failures"][0]["evidence"]
    assert document["failures"][0]["processed"] is None


def test_a_server_that_closes_at_once(cli, scripted):
    done = ask(cli, scripted(lambda connection: None), "--json", "-")
    assert {failure["outcome"] for failure in checked_json(done.stdout)["failures"]} <= {"closed", "reset"}


def test_a_server_that_closes_after_each_response_is_warned_of(cli, scripted):
    answer = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    done = ask(cli, scripted(then(send_then(answer, fin))))
    assert "Connection: close" in done.stderr
    assert "None of 2 requests failed" in done.stdout


def test_text_of_the_server_reaches_no_terminal_as_control(cli, scripted):
    answer = OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: \x1b[2J[bold]timeout=5\r\n\r\n", 1)
    done = ask(cli, scripted(then(answer, answer, wait_for_client)))
    assert "\x1b" not in done.stdout + done.stderr
    assert "the server says Keep-Alive: \\x1b[2J[bold]timeout=5" in done.stdout


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("ftp://127.0.0.1/", 2, "scheme 'ftp'"),
        ("127.0.0.1:80", 2, "http and https"),
        ("http://", 2, "names no host"),
        ("http://127.0.0.1:99999/", 2, "Port out of range"),
        ("http://[::1/", 2, "not a URL"),
        ("http://127.0.0.1/\x1b[2J", 2, "control characters"),
        ("http://econnlab.invalid/", 3, "cannot be resolved"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_before_anything_runs(cli, url, code, said):
    done = cli.run("maxconn", "--url", url)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_a_port_where_nobody_listens_is_said_so_before_anything_runs(cli):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        done = ask(cli, bound.getsockname(), "--csv", "out.csv")
    assert done.returncode == 3
    assert "Nothing listens at 127.0.0.1:" in done.stderr
    assert not (cli.folder / "out.csv").exists()


@pytest.mark.parametrize("option", [["--keepalive-timeout", "5000"], ["--server-busy", "1ms/1s"]])
def test_options_of_the_lab_server_do_not_go_with_a_url(cli, option):
    done = ask(cli, ("127.0.0.1", 9), *option)
    assert done.returncode == 2
    assert f"{option[0]} is about the lab server" in done.stderr


def test_maxconn_options_of_the_lab_server_do_not_go_with_a_url(cli):
    for option in (["--max-connections", "1"], ["--when-full", "close"]):
        assert ask(cli, ("127.0.0.1", 9), *option, command="maxconn").returncode == 2


@pytest.mark.parametrize("link", ["none", "article"])
def test_the_race_is_likely_where_only_the_client_and_the_link_are_known(cli, start_server, link):
    server = start_server(keepalive_timeout_ms=Decimal(50))
    done = ask(cli, server.address, "--interval", "200", "--no-stale-check", "--link", link, "--json", "-")
    (failure,) = checked_json(done.stdout)["failures"]
    assert (failure["cause"], failure["certainty"]) == ("keepalive_race", "likely")
    assert failure["evidence"].startswith("server's FIN left after ") == (link == "article")


@pytest.mark.parametrize("link", ["none", "article"])
def test_a_full_server_is_likely_where_only_the_client_and_the_link_are_known(cli, start_server, link):
    server = start_server(max_connections=3)
    done = ask(cli, server.address, "--clients", "9", "--link", link, "--json", "-", command="maxconn")
    document = checked_json(done.stdout)
    (row,) = document["rows"]
    assert (row["success"], row["failure"], row["over_capacity"]) == (3, 6, 6)
    assert (row["clients"], row["max_connections"], row["when_full"]) == (9, None, None)
    assert {failure["certainty"] for failure in document["failures"]} == {"likely"}
    said = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert len(said) == 6
    assert all("over_capacity (likely)" in line or "undecided" in line for line in said)
    # The look whether anybody listens was over before the run began, and took nobody's place.
    assert len(server.events(Kind.ACCEPTED)) == 10


def test_a_server_that_goes_away_in_the_middle_is_not_listening_any_more(cli, scripted):
    """Over the link as well, which passes the refusal on: a reset for the first, refusals for the rest."""
    gone = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        probe, _ = listener.accept()
        probe.close()
        connection, _ = listener.accept()
        listener.close()
        take_request(connection)
        connection.sendall(OK)
        connection.close()
        gone.set()

    threading.Thread(target=serve, daemon=True).start()
    done = ask(cli, listener.getsockname(), "--requests", "6", "--interval", "60", "--json", "-")
    assert gone.wait(DEADLINE_S)
    failures = checked_json(done.stdout)["failures"]
    assert [failure["cause"] for failure in failures][-4:] == ["not_listening"] * 4
    assert failures[-1]["outcome"] == "refused"


def test_a_sweep_of_a_users_server(cli, start_server):
    server = start_server(keepalive_timeout_ms=Decimal(30_000))
    done = cli.run("sweep", "10,20", "--requests", "3", "--url", server.url, "--csv", "-")
    assert [(row["interval_ms"], row["success"]) for row in rows_of(done.stdout)] == [
        ("10", "3"),
        ("20", "3"),
    ]


def test_a_record_of_a_users_server_renders_again(cli, start_server):
    server = start_server()
    ask(cli, server.address, "--save", "run.jsonl", "--json", "live.json")
    cli.run("report", "run.jsonl", "--json", "again.json")
    live = json.loads((cli.folder / "live.json").read_text())
    assert live == json.loads((cli.folder / "again.json").read_text())
    assert live["scenario"]["server"] is None

"""The article's own parts: Node 14.18.0 and axios 0.22.0."""

from __future__ import annotations

import json

import pytest

NAMES = {"socket hang up", "read ECONNRESET", "write EPIPE"}
ARTICLE = ("--server", "node@14.18.0", "--client", "axios@0.22.0")


def run(cli, *words):
    done = cli.run(*words)
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_connection_two_clients(cli):
    found = run(cli, "maxconn", *ARTICLE, "--json", "-")
    (row,) = found["rows"]
    assert (row["success"], row["failure"]) == (1, 1)
    assert [failure["cause"] for failure in found["failures"]] == ["over_capacity"]
    assert found["failures"][0]["certainty"] == "certain"
    assert found["failures"][0]["named"] in NAMES


def test_axios_retry_rescues_nothing_while_the_winner_keeps_its_connection(cli):
    found = run(cli, "maxconn", *ARTICLE, "--retry", "axios-retry@3.2.0", "--json", "-")
    (row,) = found["rows"]
    assert (row["success"], row["failure"], row["rescued"]) == (1, 1, 0)
    assert len([each for each in found["failures"] if each["cause"] == "over_capacity"]) == 4
    (said,) = (each for each in found["remarks"] if "kept its connection" in each)
    assert said.startswith("the retries of 1 request were over ")


def test_the_race_has_the_names_that_node_prints(cli):
    found = run(
        cli, "sweep", "480,499", "--keepalive-timeout", "500", *ARTICLE,
        "--sessions", "8", "--link", "5ms", "--json", "-",
    )  # fmt: skip
    assert {each["named"] for each in found["failures"]} <= {
        "socket hang up",
        "read ECONNRESET",
        "write EPIPE",
    }
    assert "keepalive_race" in {each["cause"] for each in found["failures"] if each["row"] == 1}

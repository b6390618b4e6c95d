"""keepalive, sweep and maxconn through the door a user takes."""

import csv
import io
import json

import jsonschema
import pytest

from tests.support.schemas import schema

SCHEMA = schema("experiments")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def checked_json(text):
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    return document


def failures_hold(document, cause):
    """Every failure is of this cause for certain, and its evidence names a figure or a state."""
    for failure in document["failures"]:
        assert (failure["cause"], failure["certainty"]) == (cause, "certain"), failure
        assert failure["evidence"]


# -- keepalive ------------------------------------------------------------------------------------


def test_keepalive_loses_requests_at_the_timeout(cli):
    """At the timeout itself a request is lost when its FIN takes longer back than the answer did: one in two.

    Of 50 reused attempts at a rate of 31 % per request (one failure makes the next attempt safe), none
    failing has a chance below 1e-8. The link is slow: a server held up on a busy machine would otherwise find
    the request in its kernel when its timer fires at last, which is unread data, and truly so.
    """
    done = cli.run(
        "keepalive", "--keepalive-timeout", "200", "--interval", "200", "--sessions", "10", "--requests", "6",
        "--link", "100ms~0.3", "--json", "out.json", "--csv", "out.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = checked_json((cli.folder / "out.json").read_text())
    failures_hold(document, "keepalive_race")
    (row,) = rows_of((cli.folder / "out.csv").read_text())
    assert row["interval_ms"] == "200"
    assert int(row["requests"]) == 60
    assert int(row["failure"]) == int(row["keepalive_race"]) == len(document["failures"]) > 0
    for failure in document["failures"]:
        assert failure["reused"]
        assert failure["idle_ms"] >= 200
        assert failure["processed"] == 0
    assert done.stdout.count("Success ") == int(row["success"])
    assert done.stdout.count("Error   ") == int(row["failure"])
    assert "late by" in done.stdout


def test_keepalive_far_below_the_timeout_reuses_one_connection(cli):
    done = cli.run(
        "keepalive", "--keepalive-timeout", "30s", "--interval", "20", "--requests", "5", "--link", "none"
    )
    assert done.returncode == 0
    assert done.stdout.count("Success ") == 5
    assert done.stdout.count("reused after") == 4
    assert "None of 5 requests failed" in done.stdout


def test_keepalive_far_above_the_timeout_opens_anew_and_without_a_look_loses_every_second(cli):
    arguments = [
        "keepalive",
        "--keepalive-timeout",
        "50",
        "--interval",
        "300",
        "--requests",
        "4",
        "--link",
        "none",
    ]
    assert cli.run(*arguments, "--csv", "-").stdout.splitlines()[1].startswith("300,4,4,0,")
    (row,) = rows_of(cli.run(*arguments, "--no-stale-check", "--csv", "-").stdout)
    assert (row["failure"], row["keepalive_race"]) == ("2", "2")


@pytest.mark.parametrize("client", ["requests", "urllib3"])
def test_a_retry_rescues_the_race_and_every_attempt_is_recorded(cli, client):
    done = cli.run(
        "keepalive", "--keepalive-timeout", "50", "--interval", "300", "--requests", "4", "--no-stale-check",
        "--link", "none", "--retries", "3", "--client", client, "--json", "-",
    )  # fmt: skip
    document = checked_json(done.stdout)
    (row,) = document["rows"]
    assert (row["failure"], row["rescued"], row["attempts"]) == (0, 3, 7)
    assert [(f["request"], f["attempt"], f["processed"]) for f in document["failures"]] == [
        (2, 1, 1),
        (3, 1, 1),
        (4, 1, 1),
    ]
    failures_hold(document, "keepalive_race")


def test_a_busy_server_resets_what_it_has_not_read(cli):
    """Blocked half of the time, with requests due when the idle time ends: most meet a true ECONNRESET.

    A request is unread when its idle time ends within a block: in at least a third of 40 reused attempts,
    so that none at all has a chance below 1e-7.
    """
    done = cli.run(
        "keepalive", "--keepalive-timeout", "100", "--interval", "98", "--server-busy", "30ms/60ms",
        "--link", "none", "--sessions", "8", "--requests", "6", "--json", "-",
    )  # fmt: skip
    document = checked_json(done.stdout)
    unread = [failure for failure in document["failures"] if failure["cause"] == "unread_data"]
    assert unread
    for failure in unread:
        assert (failure["outcome"], failure["errno"], failure["certainty"]) == (
            "reset",
            "ECONNRESET",
            "certain",
        )
        assert failure["processed"] == 0
    assert {failure["cause"] for failure in document["failures"]} <= {"unread_data", "keepalive_race"}


# -- sweep ----------------------------------------------------------------------------------------


def test_a_sweep_runs_its_intervals_side_by_side(cli):
    done = cli.run(
        "sweep", "100..400:100", "--keepalive-timeout", "400", "--requests", "3", "--link", "100ms~0.3",
        "--json", "out.json",
    )  # fmt: skip
    document = checked_json((cli.folder / "out.json").read_text())
    assert [row["interval_ms"] for row in document["rows"]] == [100, 200, 300, 400]
    assert [row["requests"] for row in document["rows"]] == [3] * 4
    failures_hold(document, "keepalive_race")
    assert "Success" not in done.stdout
    assert done.stderr.startswith("Keep-Alive has whole seconds") and done.stderr.count("\n") == 1


def test_the_default_is_the_articles_seven_intervals(cli):
    process = cli.start("sweep", "--sessions", "1")
    said = process.stdout.readline()
    assert "1 session of 10 requests at each of 7 intervals from 4900 to 5000 ms; about 50 s" in said


def test_one_seed_lays_out_one_run(cli):
    planned = []
    for _ in range(2):
        cli.run("sweep", "50,60", "--requests", "2", "--sessions", "3", "--seed", "7", "--save", "run.jsonl")
        first, *rest = (cli.folder / "run.jsonl").read_text().splitlines()
        began = json.loads(first)["facts"]["began"]
        attempts = [entry["attempt"] for entry in map(json.loads, rest) if "attempt" in entry]
        planned.append(
            sorted((a["session"], round(a["planned"] - began, 6)) for a in attempts if a["request"] == 1)
        )
    assert planned[0] == planned[1]


# -- maxconn --------------------------------------------------------------------------------------


def test_maxconn_is_the_articles_second_experiment(cli):
    done = cli.run("maxconn", "--json", "out.json")
    assert done.returncode == 0
    document = checked_json((cli.folder / "out.json").read_text())
    (row,) = document["rows"]
    assert (row["clients"], row["max_connections"], row["when_full"]) == (2, 1, "close")
    assert (row["success"], row["failure"], row["over_capacity"]) == (1, 1, 1)
    failures_hold(document, "over_capacity")
    assert done.stdout.count("Success ") == done.stdout.count("Error   ") == 1


@pytest.mark.parametrize("link", ["none", "article"])
@pytest.mark.parametrize(
    ("manner", "outcomes"),
    [("close", {"closed", "reset"}), ("reset", {"reset", "closed"}), ("503", {"http_error"})],
)
def test_exactly_the_allowed_number_succeeds(cli, manner, outcomes, link):
    done = cli.run(
        "maxconn",
        "--max-connections",
        "5",
        "--clients",
        "20",
        "--when-full",
        manner,
        "--link",
        link,
        "--json",
        "-",
    )
    document = checked_json(done.stdout)
    (row,) = document["rows"]
    assert (row["success"], row["failure"], row["over_capacity"]) == (5, 15, 15)
    failures_hold(document, "over_capacity")
    assert {failure["outcome"] for failure in document["failures"]} <= outcomes
    assert {failure["processed"] for failure in document["failures"]} == {0}


def test_those_in_the_queue_wait_or_give_up(cli):
    waiting = cli.run("maxconn", "--when-full", "queue", "--keepalive-timeout", "100", "--csv", "-")
    assert rows_of(waiting.stdout)[0]["success"] == "2"
    giving_up = cli.run("maxconn", "--when-full", "queue", "--timeout", "150", "--json", "-")
    document = checked_json(giving_up.stdout)
    assert [failure["outcome"] for failure in document["failures"]] == ["timeout"]
    failures_hold(document, "over_capacity")


def test_retries_without_delay_come_too_early_while_the_winner_keeps_its_connection(cli):
    document = checked_json(cli.run("maxconn", "--retries", "3", "--json", "-").stdout)
    (row,) = document["rows"]
    assert (row["success"], row["failure"], row["attempts"]) == (1, 1, 5)
    failures_hold(document, "over_capacity")


# -- records and reports --------------------------------------------------------------------------


def test_a_saved_run_renders_again_as_it_was(cli):
    arguments = [
        "keepalive",
        "--keepalive-timeout",
        "100",
        "--interval",
        "100",
        "--sessions",
        "3",
        "--requests",
        "4",
    ]
    done = cli.run(*arguments, "--save", "run.jsonl", "--json", "live.json", "--csv", "live.csv")
    again = cli.run("report", "run.jsonl", "--json", "again.json", "--csv", "again.csv")
    assert again.returncode == 0
    for name in ("live.csv", "live.json"):
        assert (cli.folder / name).read_text() == (cli.folder / name.replace("live", "again")).read_text()
    table = done.stdout[done.stdout.index(" interval ") :]
    assert again.stdout.endswith(table)


def test_with_a_file_on_stdout_the_table_moves_to_stderr(cli):
    done = cli.run("keepalive", "--interval", "10", "--requests", "2", "--csv", "-")
    assert done.stdout.startswith("interval_ms,requests,success,failure,failure_rate,ci_low,ci_high,")
    assert len(done.stdout.splitlines()) == 2
    assert "95 % interval" in done.stderr


def test_an_existing_file_is_replaced_whole_and_keeps_its_mode(cli):
    target = cli.folder / "out.csv"
    target.write_text("old\n" * 1000)
    target.chmod(0o640)
    (cli.folder / "link.csv").symlink_to(target)
    cli.run("keepalive", "--interval", "10", "--requests", "1", "--csv", "link.csv")
    assert target.read_text().startswith("interval_ms,")
    assert "old" not in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in cli.folder.iterdir()) == ["link.csv", "out.csv"]

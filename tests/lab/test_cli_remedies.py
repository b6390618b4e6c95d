"""``remedies`` through the door a user takes, and each remedy on real connections."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from econnlab.commands.remedies.catalogue import catalogue
from econnlab.discovery import parts
from econnlab.record.events import Kind
from econnlab.record.jsonl import read_run
from econnlab.scenario.catalogue import load
from econnlab.scenario.toml import write_scenario
from tests.conftest import children_of, wait_until
from tests.support.repeats import repeated_if_late
from tests.support.schemas import schema

SCHEMA = schema("remedies")
POLICIES = parts("econnlab.client.policies")


def compared(cli, *arguments):
    done = cli.run("remedies", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return document, {row["remedy"]: row for row in document["remedies"]}


def records(folder):
    for path in sorted(folder.iterdir()):
        with path.open() as lines:
            yield path.stem, read_run(lines, path.name)


@repeated_if_late
def test_a_post_reset_after_it_was_carried_out_is_duplicated_as_often_as_the_ledger_shows(cli):
    """For every policy: the count is held against the lines of the server's ledger themselves."""
    document, rows = compared(
        cli, "reset-after-processing", "--method", "POST", "--jobs", "8", "--save", "runs"
    )
    assert document["unable"] == []
    seen = dict(records(cli.folder / "runs"))
    assert {f"retry-{name}" for name in POLICIES if name != "none"} < set(seen)
    for name, run in seen.items():
        row = document["baseline"] if name == "none" else rows[name]
        ledger = Counter(event.request_id for event in run.events if event.kind == Kind.PROCESSED)
        assert row["requests"] == len(run.requests) == 5
        assert row["more"] == sum(times > 1 for times in ledger.values()), name
        assert row["extra"] == sum(ledger.values()) - len(ledger), name
        assert row["lost"] == 5 - len(ledger), name
        if name.startswith("retry-"):
            assert sum(ledger.values()) == row["attempts"], "the server carries out what it is sent"
    duplicating = {name for name, row in rows.items() if row["more"]}
    assert duplicating == {
        "retry-axios-retry-3", "retry-axios-retry-4", "retry-botocore", "retry-nuxt-axios", "retry-tenacity",
    }  # fmt: skip
    assert all(row["unsafe"] and not row["recommended"] for name, row in rows.items() if row["more"])
    assert document["best"] == "idempotency-key"
    assert (rows["idempotency-key"]["failure"], rows["idempotency-key"]["more"]) == (0, 0)


@repeated_if_late
def test_the_race_with_the_idle_timer_is_cured_by_many_and_not_by_probes(cli):
    """The window is 200 ms wide and met in its middle: every reused attempt is lost without a cure."""
    anew = ("idle-limit", "honour-keep-alive", "connection-close", "ping")
    retries = ("retry-urllib3", "retry-go", "retry-tenacity", "retry-axios-retry-3")
    no_cure = ("tcp-keepalive", "retry-requests")
    chosen = [f"--remedy={name}" for name in ("server-timeout", *anew, *retries, *no_cure)]
    document, rows = compared(cli, "--jobs", "3", *chosen)
    base = document["baseline"]
    assert (base["requests"], base["failure"], base["lost"]) == (20, 10, 10)
    assert {name for name, row in rows.items() if row["effect"] == "cured"} == set(rows) - set(no_cure)
    for name in no_cure:
        assert (rows[name]["failure"], rows[name]["lost"], rows[name]["effect"]) == (10, 10, "same")
    assert {row["more"] for row in rows.values()} == {0}, "a request that was never read is not repeated"
    assert rows["server-timeout"]["connections"] == 10
    assert all(rows[name]["connections"] == rows[name]["attempts"] == 20 for name in anew)
    assert {rows[name]["attempts"] for name in retries} == {30}
    assert document["best"] == document["remedies"][0]["remedy"]


def test_a_pool_that_uses_what_was_used_last_meets_no_timer(cli):
    _, rows = compared(
        cli, "rotating-pool", "--sessions", "4",
        "--remedy", "lifo-pool", "--remedy", "small-pool", "--remedy", "server-timeout",
    )  # fmt: skip
    assert {name: row["failure"] for name, row in rows.items()} == dict.fromkeys(rows, 0)
    assert rows["lifo-pool"]["connections"] == rows["small-pool"]["connections"] == 4
    assert rows["server-timeout"]["connections"] == 16


@pytest.mark.parametrize(
    ("scenario", "remedy"),
    [
        ("restart-graceful", "server-drain"),
        ("max-requests", "announce-last"),
        ("no-stale-check", "stale-check"),
        ("idle-drop-rst", "idle-limit"),
    ],
)
def test_what_helps_in_its_own_scenario(cli, scenario, remedy):
    document, rows = compared(cli, scenario, "--remedy", remedy)
    assert document["baseline"]["failure"] > 0
    assert rows[remedy]["failure"] < document["baseline"]["failure"] / 2


@repeated_if_late
def test_a_lingering_close_lets_the_client_read_why(cli):
    _, rows = compared(cli, "early-response", "--sessions", "8", "--remedy", "lingering-close")
    (row,) = rows.values()
    assert (row["failure"], row["answered"], row["effect"]) == (8, 8, "helped")


def test_a_crash_is_not_cured_by_new_connections_on_which_it_was_not_yet_due(cli):
    document, rows = compared(cli, "crash-read", "--remedy", "connection-close")
    assert (document["baseline"]["failure"], rows["connection-close"]["failure"]) == (5, 0)
    assert (rows["connection-close"]["effect"], document["best"]) == ("same", None)


def test_probes_are_not_said_to_be_of_no_help_where_none_passes(cli):
    document, rows = compared(cli, "idle-drop-rst", "--remedy", "tcp-keepalive")
    assert not rows
    (unable,) = document["unable"]
    assert (unable["remedy"], "no probe passes" in unable["reason"]) == ("tcp-keepalive", True)


def test_of_a_users_server_it_says_what_it_does_not_know_and_cannot_change(cli, start_server):
    url = start_server(keepalive_timeout_ms=Decimal(5000)).url
    (cli.folder / "own.toml").write_text(
        f'title = "mine"\nurl = "{url}"\n[plan]\nintervals = "1ms"\nrequests = 2\n'
    )
    chosen = [f"--remedy={name}" for name in ("idle-limit", "server-timeout", "ping")]
    said = cli.run("remedies", "own.toml", *chosen)
    assert said.returncode == 0, said.stderr
    assert "could not be tried: idle-limit: your server's idle timeout is not known here" in said.stdout
    assert "change nothing on the client's side: server-timeout" in said.stdout
    refused = cli.run("remedies", "own.toml", "--keepalive-timeout", "300")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--keepalive-timeout is about the lab server" in refused.stderr


def test_too_few_requests_for_a_recommendation_are_no_reason_to_say_that_nothing_helps(cli):
    said = cli.run("remedies", "max-requests", "--remedy", "announce-last").stdout
    assert "Too few requests to recommend one: fewer failed with announce-last" in said
    assert "--sessions 10 would tell." in said
    document, _ = compared(cli, "max-requests", "--remedy", "announce-last", "--sessions", "10")
    assert document["best"] == "announce-last"


# -- the article's own claim ----------------------------------------------------------------------


def rows_of(cli, name, *changes):
    """The row of scenario ``name``, with these (old, new) in its file."""
    text = write_scenario(load(name))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (cli.folder / f"{name}.toml").write_text(text)
    done = cli.run("run", f"{name}.toml", "--json", "-")
    document = json.loads(done.stdout)
    assert {failure["cause"] for failure in document["failures"]} == {"over_capacity"}, done.stderr
    (row,) = document["rows"]
    return done.returncode, row


def test_axios_retry_recovers_every_request_when_the_first_connection_ends(cli):
    """The slot is free 100 ms after it was taken, and the tries last for 300."""
    code, row = rows_of(cli, "maxconn-retry-in-time")
    assert (code, row["success"], row["failure"], row["rescued"]) == (0, 2, 0, 1)
    assert (row["lost"], row["once"], row["more"]) == (0, 2, 0)


def test_axios_retry_only_delays_when_the_connection_is_kept_for_longer_than_its_tries_last(cli):
    code, row = rows_of(cli, "maxconn-retry-too-soon")
    assert (code, row["success"], row["failure"], row["attempts"]) == (0, 1, 1, 5)


def test_a_delay_that_outlasts_the_winners_idle_time_recovers_it(cli):
    """undici's first wait of 500 ms is longer than the 200 ms that the winner's connection is kept."""
    _, row = rows_of(cli, "maxconn-retry-too-soon", ('"5s"', '"200ms"'), ('"axios-retry-3"', '"undici"'))
    assert (row["success"], row["rescued"], row["attempts"]) == (2, 1, 3)


# -- the command ----------------------------------------------------------------------------------


def test_a_policy_that_never_tries_again_has_no_price_of_tries():
    prices = {name: remedy.price for name, remedy in catalogue().items() if name.startswith("retry-")}
    assert prices["retry-requests"] == "none, because it never tries again"
    assert prices["retry-aiohttp"].startswith("a further attempt per failure")
    assert prices["retry-undici"].startswith("up to 5 further attempts per failure")


def test_no_more_run_at_a_time_than_there_are_and_retries_may_wait(cli):
    said = cli.run("remedies", "--sessions", "1", "--jobs", "99", "--remedy", "ping").stderr
    assert "2 runs, 2 at a time; about 2 s\n" in said
    said = cli.run("remedies", "--sessions", "1", "--remedy", "retry-got").stderr
    assert "about 2 s and what retries wait" in said


def test_every_remedy_is_listed(cli):
    done = cli.run("remedies", "--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(catalogue())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--remedy", "idle-limt"], "Did you mean idle-limit"),
        (["nonsense"], "There is no scenario 'nonsense'."),
        (["--show", "retry-axois"], "There are no lines to paste for 'retry-axois'."),
        (["--for", "axios"], "Add --show NAME."),
        (["--list", "--show", "retry"], "--list names every remedy"),
        (["--show", "nonsense"], "There are no lines to paste for 'nonsense'."),
        (["--csv", "-", "--json", "-"], "Only one output fits on stdout."),
        (["missing.toml"], "cannot be read"),
        (["--sessions", "0"], "0 is not in the range"),
    ],
)
def test_bad_input_is_a_sentence_and_code_2(cli, arguments, said):
    done = cli.run("remedies", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_a_folder_that_cannot_be_written_is_said_before_anything_runs(cli):
    (cli.folder / "taken").write_text("")
    done = cli.run("remedies", "--save", "taken")
    assert done.returncode == 3
    assert "'taken' cannot be written" in done.stderr


def test_ctrl_c_shows_what_there_is_and_leaves_nothing(cli):
    process = cli.start(
        "remedies", "keepalive", "--interval", "5000", "--requests", "2", "--remedy", "idle-limit",
        "--jobs", "1", "--json", "out.json",
    )  # fmt: skip
    wait_until(lambda: children_of(process.pid), "a worker")
    process.send_signal(2)
    _, said = process.communicate()
    assert process.returncode == 130, said
    wait_until(lambda: not Path(f"/proc/{process.pid}").exists(), "its end")

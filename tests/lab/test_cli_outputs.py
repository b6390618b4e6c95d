"""Exports of batches, and files that no command may lose, through the door a user takes."""

import csv
import io
import json
import os
import pty
import re
import signal
import socket
import sys
import time
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.conftest import DEADLINE_S, wait_until
from tests.support.schemas import schema

BATCH = schema("experiments", "batch.schema.json")
CATALOGUE = schema("experiments", "catalogue.schema.json")
QUICK = """
title = "mine | <b>"
[plan]
intervals = "20ms"
requests = 2
"""
BROKEN = "[expect]\nsuccess = 3\n"
LONG = ["keepalive", "--interval", "20", "--requests", "100000"]


def test_a_batch_is_exported_in_every_format(cli):
    (cli.folder / "good.toml").write_text(QUICK)
    (cli.folder / "bad.toml").write_text(QUICK + BROKEN)
    names = ["good.toml", "bad.toml", "not-listening"]
    done = cli.run("run", *names, "--json", "b.json", "--junit", "b.xml", "--markdown", "-")
    assert done.returncode == 1
    document = json.loads((cli.folder / "b.json").read_text())
    jsonschema.validate(document, BATCH)
    assert {each["scenario"]: each["status"] for each in document["scenarios"]} == {
        "good": "ran", "bad": "broken", "not-listening": "holds",
    }  # fmt: skip
    suite = ElementTree.parse(cli.folder / "b.xml").getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    (failure,) = suite.iter("failure")
    assert "success: expected 3, found 2" in failure.get("message")
    rows = [line for line in done.stdout.splitlines() if line.startswith(("| ✅", "| ❌"))]
    assert len(rows) == 3 and "mine &#124; &#60;b&#62;" in done.stdout
    assert "BROKEN  bad" in done.stderr


def test_one_scenario_has_the_formats_of_a_run_and_those_of_a_batch(cli):
    (cli.folder / "mine.toml").write_text(QUICK)
    done = cli.run("run", "mine.toml", "--csv", "-", "--json", "run.json", "--junit", "b.xml")
    assert done.returncode == 0
    assert next(csv.DictReader(io.StringIO(done.stdout)))["requests"] == "2"
    assert json.loads((cli.folder / "run.json").read_text())["command"] == "mine"
    assert ElementTree.parse(cli.folder / "b.xml").getroot().get("tests") == "1"


def test_a_pattern_runs_all_that_match(cli):
    done = cli.run("run", "not-list*", "crash-re[a-z]*", "--json", "-")
    ran = {each["scenario"] for each in json.loads(done.stdout)["scenarios"]}
    assert ran == {"not-listening", "crash-read"}
    assert "No scenario matches 'moon*'" in cli.run("run", "moon*").stderr


def test_the_scenarios_as_json(cli):
    document = json.loads(cli.run("scenarios", "--json", "-").stdout)
    jsonschema.validate(document, CATALOGUE)
    groups = {each["scenario"]: each["group"] for each in document["scenarios"]}
    assert (groups["busy-server"], groups["done-reset"]) == ("lab", "check")
    one = json.loads(cli.run("scenarios", "busy-server", "--json", "-").stdout)
    assert [each["scenario"] for each in one["scenarios"]] == ["busy-server"]


# -- nothing is lost ------------------------------------------------------------------------------------


def test_a_record_is_not_overwritten_by_its_own_report(cli):
    cli.run("keepalive", "--interval", "20", "--requests", "2", "--save", "run.jsonl")
    before = (cli.folder / "run.jsonl").read_bytes()
    for arguments in (
        ["report", "run.jsonl", "--json", "./run.jsonl"],
        ["diagnose", "run.jsonl", "--csv", "run.jsonl"],
    ):
        done = cli.run(*arguments)
        assert done.returncode == 2 and "would be overwritten" in done.stderr
    assert (cli.folder / "run.jsonl").read_bytes() == before


def test_a_scenario_is_not_overwritten_by_its_run(cli):
    (cli.folder / "mine.toml").write_text(QUICK)
    for option in ("--json", "--save", "--junit"):
        assert cli.run("run", "mine.toml", option, "mine.toml").returncode == 2
    assert (cli.folder / "mine.toml").read_text() == QUICK


@pytest.mark.parametrize("command", [["serve"], ["link", "--to", "127.0.0.1:1"]])
def test_a_taken_port_leaves_the_ledger_as_it_was(cli, command):
    (cli.folder / "ledger.jsonl").write_text("old\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        option = "--port" if command[0] == "serve" else "--listen"
        done = cli.run(*command, option, str(taken.getsockname()[1]), "--jsonl", "ledger.jsonl")
    assert done.returncode == 3
    assert (cli.folder / "ledger.jsonl").read_text() == "old\n"


def test_two_runs_into_one_record_the_second_is_refused(cli):
    record = cli.folder / "run.jsonl"
    process = cli.start(*LONG, "--save", "run.jsonl")
    wait_until(lambda: os.path.exists(record) and os.stat(record).st_size, "the record")
    done = cli.run(*LONG, "--save", "run.jsonl")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Another command is writing 'run.jsonl' now" in done.stderr
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 130
    assert cli.run("report", "run.jsonl").returncode == 0


def test_a_retry_library_that_is_not_installed_is_named_before_the_run(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "tenacity", None)
    for command in ("keepalive", "sweep", "maxconn"):
        done = cli.run(command, "--retry", "tenacity")
        assert done.returncode == 3
        assert "pip install 'econnlab[tenacity]'" in done.stderr and "Success" not in done.stdout


# -- progress -------------------------------------------------------------------------------------------


def on_a_terminal(cli, *arguments):
    """The stderr of a command on a terminal of its own, as (time, bytes)."""
    ours, theirs = pty.openpty()
    process = cli.start(*arguments, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"})
    os.close(theirs)
    seen = []
    try:
        while chunk := os.read(ours, 65536):
            seen.append((time.monotonic(), chunk))
    except OSError:  # EIO: the other end is closed
        pass
    finally:
        os.close(ours)
    process.communicate(timeout=DEADLINE_S)
    return seen


def test_a_busy_run_shows_counts_that_grow_and_the_time_left(cli):
    """Requests end all the time here: progress must not wait for a pause."""
    seen = on_a_terminal(
        cli, "sweep", "200", "--keepalive-timeout", "5000", "--sessions", "20", "--requests", "12"
    )
    text = b"".join(chunk for _, chunk in seen).decode()
    counts = [int(count) for count in re.findall(r"(\d+)/240 requests", text)]
    assert len(counts) >= 4 and counts == sorted(counts) and counts[0] < counts[-1]
    assert re.search(r"about \d+ s left", text)


def test_without_a_terminal_a_short_run_says_nothing_of_its_progress(cli):
    done = cli.run("run", "not-listening")
    assert done.stderr == ""

"""``econnlab run`` and ``econnlab scenarios`` through the door a user takes."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from econnlab.scenario.catalogue import names
from tests.conftest import children_of, is_running, wait_until

QUICK = """
title = "mine"
[server]
keepalive_timeout = "5s"
[plan]
intervals = "20ms"
sessions = 2
requests = 2
"""


def test_the_catalogue_has_a_line_for_every_scenario(cli):
    done = cli.run("scenarios")
    assert [line.split()[0] for line in done.stdout.splitlines()[: len(names())]] == names()
    shown = cli.run("scenarios", "busy-server").stdout
    assert shown.startswith("busy-server: The idle timer fires with the request unread")
    assert "The server's event loop is blocked" in shown
    assert 'busy_for = "200ms"' in shown and "[expect.causes]" in shown


def test_what_a_scenario_shows_is_a_scenario(cli):
    shown = cli.run("scenarios", "crash-read").stdout
    (cli.folder / "copy.toml").write_text(shown[shown.index("link =") :])
    done = cli.run("run", "copy.toml", "--dry-run")
    assert done.returncode == 0
    assert "is killed when it has read the request from request 2 on" in done.stdout


def test_one_scenario_gives_its_table_and_its_files(cli):
    done = cli.run("run", "crash-read", "--json", "run.json", "--save", "run.jsonl")
    assert done.returncode == 0
    assert "the server process died of SIGKILL with the request read and not carried out" in done.stdout
    assert re.search(r"^holds +crash-read .*carried out 0x 5, 1x 1, 2x\+ 0", done.stdout, re.MULTILINE)
    document = json.loads((cli.folder / "run.json").read_text())
    assert [failure["cause"] for failure in document["failures"]] == ["crash", *["not_listening"] * 4]
    crash = document["failures"][0]
    assert (crash["ending"]["by"], crash["ending"]["packet"], crash["processed"]) == ("server", "FIN", 0)
    assert "crash" in cli.run("report", "run.jsonl").stdout


def test_several_scenarios_give_a_line_each(cli):
    (cli.folder / "mine.toml").write_text(QUICK)
    done = cli.run("run", "mine.toml", "not-listening", "mine.toml")
    assert done.returncode == 0
    assert sorted(line.split()[1] for line in done.stdout.splitlines()[:2]) == ["mine", "not-listening"]
    assert done.stdout.splitlines()[-1] == "2 of 2 as expected"


def test_an_expectation_that_does_not_hold_is_named_and_ends_with_1(cli):
    (cli.folder / "mine.toml").write_text(QUICK + "[expect]\nsuccess = 3\ncauses = { crash = 1 }\n")
    done = cli.run("run", "mine.toml")
    assert done.returncode == 1
    assert "BROKEN  mine" in done.stdout
    assert "success: expected 3, found 4" in done.stdout
    assert "causes.crash: expected 1, found 0" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No scenario is named."),
        (["keepalive-rac"], "Did you mean keepalive-race"),
        (["moonphase"], "There are backlog-overflow, "),
        (["none.toml"], "'none.toml' cannot be read: No such file"),
        (["bad.toml"], "bad.toml: server.fault.at: expected one of"),
        (["kind.toml"], "kind.toml: client.kind: there is no 'lynx'. There are"),
        (["binary.toml"], "is not text in UTF-8"),
        (["not-listening", "crash-read", "--csv", "-"], "are for one run"),
        (["not-listening", "--jobs", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_runs(cli, arguments, said):
    (cli.folder / "bad.toml").write_text("[server.fault]\nat = 'noon'\n")
    (cli.folder / "kind.toml").write_text("[client]\nkind = 'lynx'\n")
    (cli.folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    done = cli.run("run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.replace("\n", " ")


def test_ctrl_c_ends_every_scenario_and_keeps_what_there_was(cli):
    (cli.folder / "long.toml").write_text(QUICK.replace("requests = 2", "requests = 100000"))
    process = cli.start("run", "long.toml", "--save", "run.jsonl")
    workers = wait_until(lambda: children_of(process.pid), "the worker")
    families = wait_until(lambda: children_of(workers[0]), "the worker's server")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "stopped long" in out
    assert (cli.folder / "run.jsonl").read_text().startswith('{"format"')
    wait_until(lambda: not any(map(is_running, [*workers, *families])), "every process to end")


TLS = "tls = true\n"
WIRED = "[kernel]\npacket_delay = 1\nsettings = { tcp_abort_on_overflow = 1 }\n"


@pytest.mark.parametrize("network", ["", WIRED], ids=["plain", "of its own"])
@pytest.mark.parametrize("victim", ["run", "worker"])
def test_a_sigkill_leaves_no_process_no_file_and_no_setting(cli, victim, network, monkeypatch):
    if network and (refused := cli.run("run", "backlog-overflow-reset")).returncode == 3:
        pytest.skip(refused.stdout)  # this system forbids a network of the run's own
    files = cli.folder / "files"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    setting = Path("/proc/sys/net/ipv4/tcp_abort_on_overflow")
    before = setting.read_text()
    endless = QUICK.replace("requests = 2", "requests = 100000").replace("[plan]", f"{TLS}[plan]")
    (cli.folder / "long.toml").write_text(endless + network)
    process = cli.start("run", "long.toml")
    workers = wait_until(lambda: children_of(process.pid), "the worker")
    expected = 2 if network else 1
    families = wait_until(lambda: _all_of(children_of(workers[0]), expected), "the worker's processes")
    os.kill(process.pid if victim == "run" else workers[0], signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, [*workers, *families])), "every process to end")
    out, _ = process.communicate(timeout=20)
    wait_until(lambda: not list(files.iterdir()), "every file to go")
    assert setting.read_text() == before
    if victim == "worker":
        assert process.returncode == 3
        assert "The worker of long was killed by SIGKILL" in out


def _all_of(processes, expected):
    return processes if len(processes) == expected else None


@pytest.mark.parametrize("command", ["keepalive", "sweep", "maxconn"])
def test_a_command_shows_the_scenario_that_it_would_run(cli, command):
    shown = cli.run(command, "--show-scenario", "--seed", "7", "--link", "2ms~0.5")
    (cli.folder / "mine.toml").write_text(shown.stdout)
    assert shown.returncode == 0
    assert 'link = "2ms~0.5"' in shown.stdout and "seed = 7" in shown.stdout
    again = cli.run("run", "mine.toml", "--dry-run")
    assert "2 ms, jitter 0.5 each way" in again.stdout


def test_tls_is_spoken_where_it_is_asked_for(cli):
    done = cli.run("keepalive", "--tls", "--requests", "2", "--interval", "20", "--json", "run.json")
    assert done.returncode == 0
    assert "lab server with TLS" in done.stdout
    assert done.stdout.count("Success") == 2


# -- explain --------------------------------------------------------------------------------------


def test_explain_tells_what_an_error_means_and_how_to_see_it(cli):
    done = cli.run("explain", "socket", "hang", "up")
    assert done.returncode == 0
    for heading in ("on the wire", "likely causes", "see it", "what to do", "sources"):
        assert heading in done.stdout
    assert "econnlab run keepalive-race" in done.stdout
    assert "ECONNREFUSED" in cli.run("explain").stdout


def test_explain_reads_a_log_from_stdin(cli):
    done = cli.run_alone("explain", "-", stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    (cli.folder / "app.log").write_text("curl: (56) Recv failure: Connection reset by peer\n")
    with (cli.folder / "app.log").open() as log:
        assert "Recv failure" in cli.run_alone("explain", "-", stdin=log).stdout


def test_explain_never_repeats_control_characters(cli):
    done = cli.run("explain", "\x1b[2Jnonsense")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr

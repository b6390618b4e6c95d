"""Runs that end otherwise than planned: nothing is lost that there was, and nothing is left behind."""

import contextlib
import csv
import io
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, children_of, is_running, until, wait_until

LONG_RUN = ["keepalive", "--interval", "50", "--requests", "100000", "--sessions", "2"]


def start_and_see(cli, *arguments, line="Success", **settings):
    """Start the command, wait for its first line that begins so, and tell its processes."""
    process = cli.start(*arguments, **settings)
    for shown in process.stdout:
        if shown.startswith(line):
            break
    return process, children_of(process.pid)


def ended(process):
    out, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


def gone(pids):
    wait_until(lambda: not any(map(is_running, pids)), f"the end of {pids}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_prints_and_saves_what_it_had(cli, number):
    files = ["--csv", "out.csv", "--json", "out.json", "--save", "run.jsonl"]
    process, children = start_and_see(cli, *LONG_RUN, *files)
    assert len(children) == 2
    process.send_signal(number)
    code, out, err = ended(process)
    assert code == 130
    assert "95 % interval" in out
    assert "The run ended early" in err
    assert "Traceback" not in err
    gone(children)
    (row,) = csv.DictReader(io.StringIO((cli.folder / "out.csv").read_text()))
    document = json.loads((cli.folder / "out.json").read_text())
    assert document["interrupted"]
    assert int(row["requests"]) == document["rows"][0]["requests"] > 0
    assert document["failures"] == []  # what we have cut off ourselves is nobody's failure
    again = cli.run("report", "run.jsonl", "--csv", "-")
    assert again.stdout == (cli.folder / "out.csv").read_text()


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])
def test_ctrl_c_at_any_moment_ends_in_good_order(cli, cold, delay_s):
    """From the first instruction on: at the earliest Python itself is still starting."""
    process = cli.start(*LONG_RUN)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay_s)
    children = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    gone(children)
    if code != 130:  # Python's own start was cut off, before our first line
        assert code in (-signal.SIGINT, 1)  # 1: while the site module was read
        assert not re.search(r'File "[^"]*/econnlab/(\w+/)*\w+\.py"', err)  # no frame of ours
    assert code != 130 or "Traceback" not in err


def test_under_nohup_a_hangup_ends_nothing(cli):
    def nohup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process, _ = start_and_see(cli, *LONG_RUN, preexec_fn=nohup)
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline().startswith("Success")
    assert process.poll() is None


def test_a_second_ctrl_c_ends_at_once(cli):
    process, children = start_and_see(cli, *LONG_RUN)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    gone(children)


def test_a_killed_run_leaves_no_process_and_a_valid_record(cli):
    process, children = start_and_see(cli, *LONG_RUN, "--save", "run.jsonl")
    process.kill()
    process.communicate()
    gone(children)
    assert cli.run("report", "run.jsonl").returncode == 0


@pytest.mark.parametrize("name", ["server", "link"])
def test_a_process_of_the_lab_that_dies_is_reported_as_such(cli, name):
    process, children = start_and_see(cli, *LONG_RUN, "--csv", "out.csv")
    command_lines = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    (victim,) = [pid for pid, words in command_lines.items() if f"econnlab.{name}." in words]
    os.kill(victim, signal.SIGKILL)
    code, out, err = ended(process)
    assert code == 3
    assert f"The lab's {name} process was killed by SIGKILL" in err
    assert "Traceback" not in err
    assert "95 % interval" in out
    assert (cli.folder / "out.csv").read_text().startswith("interval_ms,")
    gone(children)


@pytest.mark.parametrize("lines", [1, 3, 7])
def test_a_reader_that_leaves_ends_the_run_quietly(cli, lines):
    process = cli.start(*LONG_RUN, "--csv", "out.csv")
    for _ in range(lines):
        process.stdout.readline()
    children = children_of(process.pid)
    process.stdout.close()
    assert process.wait(DEADLINE_S) == 141
    assert "Traceback" not in process.stderr.read()
    gone(children)
    assert (cli.folder / "out.csv").read_text().startswith("interval_ms,")


def test_a_reader_that_was_never_there(cli):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = cli.start("maxconn", stdout=write_end)
    os.close(write_end)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 141
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["--help"], ["keepalive", "--help"], ["--version"]])
def test_help_into_a_closed_pipe(cli, cold, arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = cli.start(*arguments, stdout=write_end)
    os.close(write_end)
    assert "Traceback" not in process.communicate(timeout=DEADLINE_S)[1]


def test_nothing_runs_where_descriptors_do_not_suffice(cli):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    done = cli.run_alone("keepalive", "--sessions", "60", preexec_fn=few)
    assert done.returncode == 3
    assert "needs 152 open files in one process; the limit here is 100" in done.stderr
    assert done.stdout == ""


def test_a_soft_limit_is_raised_as_far_as_the_run_needs(cli):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 4096))

    done = cli.run_alone(
        "maxconn", "--max-connections", "50", "--clients", "60", "--csv", "-", preexec_fn=few
    )
    assert done.stdout.splitlines()[1].startswith("60,50,close,60,50,10,")


@pytest.mark.parametrize("last", ["econnlab-server", "econnlab-dispatcher", "econnlab-client-3"])
def test_a_system_that_lets_no_more_threads_start(cli, monkeypatch, last):
    start = threading.Thread.start

    def limited(thread):
        if thread.name == last:
            raise RuntimeError("can't start new thread")  # what CPython says of pthread_create's EAGAIN
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    done = cli.run("maxconn", "--clients", "20")
    assert done.returncode == 3
    assert "no more threads" in done.stderr and "ulimit -u" in done.stderr
    assert not children_of(os.getpid())


# -- streams that are closed, full, or lead nowhere -----------------------------------------------

SHORT = ["keepalive", "--interval", "20", "--requests", "2"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_nobodys_business(cli, closed):
    command = f"exec {sys.executable} -m econnlab {' '.join(SHORT)} --csv y.csv --save y.jsonl {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=cli.folder, capture_output=True, timeout=DEADLINE_S * 2)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len((cli.folder / "y.csv").read_text().splitlines()) == 2
    assert (cli.folder / "y.jsonl").read_text().count("attempt") == 2


@pytest.mark.parametrize("option", ["--csv", "--json", "--save"])
def test_a_full_disk_is_said_and_not_thrown(cli, option):
    done = cli.run_alone(*SHORT, option, "/dev/full")
    assert done.returncode == 3
    assert "could not be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [SHORT, ["--help"], ["scenarios"]])
def test_a_full_stdout_is_said_and_not_thrown(cli, arguments):
    with Path("/dev/full").open("w") as full:
        done = cli.run_alone(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (
        3,
        "Error: The output cannot be written: No space left on device.\n",
    )


def test_a_reader_of_both_streams_that_leaves_does_not_cost_the_files(cli):
    command = f"{sys.executable} -m econnlab {' '.join(LONG_RUN)} --csv y.csv 2>&1 | head -1"
    subprocess.run(["sh", "-c", command], cwd=cli.folder, check=True, timeout=DEADLINE_S * 2)
    wait_until((cli.folder / "y.csv").exists, "the CSV")


def test_a_pipe_that_nobody_reads_does_not_swallow_ctrl_c(cli):
    os.mkfifo(cli.folder / "pipe")
    process = cli.start(*SHORT, "--csv", "pipe")
    wchan = Path(f"/proc/{process.pid}/wchan")
    wait_until(lambda: wchan.read_text() == "wait_for_partner", "fifo_open() to wait for a reader")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130


def test_a_record_may_go_to_stdout_and_devices_may_be_records(cli):
    done = cli.run_alone(*SHORT, "--save", "-")
    assert done.stdout.startswith('{"format"')
    assert "Success" in done.stderr
    assert cli.run(*SHORT, "--save", "/dev/null").returncode == 0


@pytest.mark.parametrize(
    "outputs", [["--csv", "-", "--save", "-"], ["--csv", "x", "--json", "./x"], ["--csv", "x", "--save", "x"]]
)
def test_two_outputs_in_one_place_are_refused(cli, outputs):
    done = cli.run(*SHORT, *outputs)
    assert (done.returncode, done.stdout) == (2, "")
    assert not list(cli.folder.iterdir())


def test_a_run_that_never_began_leaves_no_record(cli):
    done = cli.run(*SHORT, "--url", "http://127.0.0.1:1/", "--save", "new.jsonl", "--csv", "new.csv")
    assert done.returncode == 3
    assert not list(cli.folder.iterdir())


# -- serve ----------------------------------------------------------------------------------------


def test_serve_prints_its_port_what_happens_and_a_summary(cli):
    process = cli.start("serve", "--port", "0", "--keepalive-timeout", "100", "--jsonl", "ledger.jsonl")
    listening = process.stdout.readline()
    assert listening.startswith("listening on http://127.0.0.1:")
    port = int(listening.split("127.0.0.1:")[1].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nX-Econnlab-Request: a1\r\n\r\n")
        while client.recv(4096):
            pass
    lines = [process.stdout.readline() for _ in range(3)]
    assert "#1     connected from 127.0.0.1:" in lines[0]
    assert "GET answered with 200, its request 1" in lines[1]
    (idle_ms,) = re.findall(r"closed with FIN: ([0-9.]+) ms idle", lines[2])
    assert float(idle_ms) >= 100
    children = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130
    assert "1 connections (at most 1 at a time), 1 requests answered" in out
    assert "100 ms is advertised as timeout=0" in err and "--no-advertise" in err
    gone(children)
    kinds = [json.loads(line)["kind"] for line in (cli.folder / "ledger.jsonl").read_text().splitlines()]
    answered = ["request", "processed", "response"]
    assert kinds == ["listening", "accepted", *answered, "idle_timeout", "closed", "stopped"]


def test_serve_into_head_ends_quietly(cli):
    process = cli.start("serve", "--port", "0", "--jsonl", "-")
    port = json.loads(process.stdout.readline())["local"].rpartition(":")[2]
    process.stdout.close()
    socket.create_connection(("127.0.0.1", int(port))).close()
    assert process.wait(DEADLINE_S) == 141
    assert "Traceback" not in process.stderr.read()


def test_serve_says_when_its_port_is_taken(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli.run("serve", "--port", str(port))
    assert done.returncode == 3
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert "--port 0" in done.stderr


def test_serve_reports_its_own_process_dying(cli):
    process = cli.start("serve", "--port", "0")
    process.stdout.readline()
    (server,) = children_of(process.pid)
    os.kill(server, signal.SIGKILL)
    code, _, err = ended(process)
    assert code == 3
    assert "server process was killed by SIGKILL" in err


def test_serve_with_tls_leaves_no_file_when_it_is_killed_at_any_moment(cli, monkeypatch):
    """The certificate's key above all: while it starts, and while it serves."""
    files = cli.folder / "files"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    process = cli.start("serve", "--port", "0", "--tls")
    began = now()
    assert process.stdout.readline().startswith("listening on https")
    took = now() - began
    for share in (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0):
        children = children_of(process.pid)
        process.kill()
        process.communicate()
        gone(children)
        wait_until(lambda: not list(files.iterdir()), "every file to go")
        process = cli.start("serve", "--port", "0", "--tls")
        until(now() + share * took)


BROKEN = "import econnlab.server.lab_server as it\nit.LabServer.start = lambda self: 1 / 0\n"


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["maxconn"], ["run", "busy-server"]])
def test_an_exception_in_a_process_of_the_lab_is_said_and_ends_with_70(cli, command):
    (cli.folder / "sitecustomize.py").write_text(BROKEN)
    done = cli.run_alone(
        *command, env={**os.environ, "PYTHONPATH": str(cli.folder), "TMPDIR": str(cli.folder)}
    )
    assert done.returncode == 70
    assert "server process failed: ZeroDivisionError: division by zero" in " ".join(
        (done.stderr + done.stdout).split()
    )
    traces = [file.read_text() for file in cli.folder.glob("econnlab-trace-*")]
    assert all("in <lambda>" in trace for trace in traces)
    assert len(traces) == (command[0] != "run")


def test_a_module_of_the_users_folder_is_not_taken_for_one_of_pythons(cli):
    for name in ("socket", "h11", "asyncio", "json", "selectors"):
        (cli.folder / f"{name}.py").write_text("raise SystemExit('mistaken')")
    done = cli.run_alone("maxconn", "--csv", "-", env={**os.environ, "PYTHONSAFEPATH": "1"})
    assert done.returncode == 0, done.stderr

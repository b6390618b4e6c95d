"""A lab whose own process is held up accuses no server: each process stopped in turn while a command runs."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, until

STOPPED_S = 0.4
SESSIONS, REQUESTS = 12, 6
#: No request is near the server's timeout, so a loss is the lab's own.
RUN = [
    "--interval",
    "400",
    "--keepalive-timeout",
    "600",
    "--sessions",
    str(SESSIONS),
    "--requests",
    str(REQUESTS),
]


def children(pid):
    """The processes that ``pid`` has started, and their command lines."""
    found = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found[int(child)] = Path(f"/proc/{child}/cmdline").read_text()
                found |= children(child)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("held", ["client", "link", "server"])
def test_what_a_stopped_process_did_is_counted_apart(held, tmp_path):
    table = tmp_path / "table.csv"
    with subprocess.Popen(
        [sys.executable, "-m", "econnlab", "keepalive", *RUN, "--json", "-", "--csv", str(table)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        seen = 0
        for line in process.stderr:
            seen += line.startswith("Success")
            if seen == 2 * SESSIONS:
                break
        whom = process.pid
        if held != "client":
            whom = next(pid for pid, line in children(process.pid).items() if f"econnlab.{held}." in line)
        os.kill(whom, signal.SIGSTOP)
        until(now() + STOPPED_S)
        os.kill(whom, signal.SIGCONT)
        said, _ = process.communicate(timeout=4 * DEADLINE_S)
    document = json.loads(said)
    assert [each["cause"] for each in document["failures"]] == []
    stopped = [each for each in document["lab_late"] if each["late_ms"][held] > 100]
    assert stopped, "a process that stood still for 0.4 s was late for some of 12 sessions"
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert int(row["requests"]) + int(row["lab_late"]) == SESSIONS * REQUESTS
    assert int(row["failure"]) == 0
    assert "lab_late" in document["warnings"][0]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_a_killed_server_did_last_is_unknown_and_not_denied():
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "econnlab",
            "keepalive",
            "--interval",
            "5",
            "--requests",
            "400",
            "--json",
            "-",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        seen = 0
        for line in process.stderr:
            seen += line.startswith("Success")
            if seen == 20:
                break
        whom = next(pid for pid, line in children(process.pid).items() if "econnlab.server." in line)
        os.kill(whom, signal.SIGKILL)
        said, complaints = process.communicate(timeout=4 * DEADLINE_S)
    assert process.returncode == 3, complaints
    document = json.loads(said)
    (row,) = document["rows"]
    assert row["lost"] == 0, "every request that succeeded was carried out"
    assert not any("never reached" in remark for remark in document["remarks"])
    assert all(each["processed"] is None for each in document["failures"])

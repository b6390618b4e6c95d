"""A real server that is killed in the middle of a run is the cause of what it had not answered."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.conftest import children_of

#: On a slow link a request is on its way most of the time.
RUN = ("--client", "node", "--link", "60ms", "--interval", "20", "--sessions", "4", "--requests", "40")


def below(pid):
    found = children_of(pid)
    return found + [each for child in found for each in below(child)]


@pytest.mark.parametrize(("server", "program"), [("node", "node_server.cjs"), ("uvicorn", "uvicorn")])
def test_a_killed_server_is_the_cause(cli, node, server, program):
    process = cli.start("keepalive", "--server", server, *RUN, "--json", "out.json")
    for line in process.stdout:
        if line.startswith("Success"):
            break
    killed = [pid for pid in below(process.pid) if runs(pid, program)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert killed
    found = json.loads((cli.folder / "out.json").read_text())
    causes = [each["cause"] for each in found["failures"]]
    assert "crash" in causes
    assert set(causes) <= {"crash", "not_listening"}


def runs(pid, program):
    """It is the program itself, and not its keeper."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes()
    return program.encode() in words and b"keeper.py" not in words

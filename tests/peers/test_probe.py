"""``econnlab probe`` against servers that are not ours: all at the same time, so that waiting is shared."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from econnlab.peers.store import find_program
from tests.conftest import wait_until
from tests.peers import servers
from tests.peers.conftest import NODE_14, program

#: Beside the server's own spread: what a close may be seen late by, and the timer's grain. ms.
NEAR_MS = 1.0
#: So much later a machine may wake a server when both its processors are busy, or read what came before. ms.
BUSY_MS = 250.0
#: nginx sets its timers by the time at which it last looked at the clock.
STALE_MS = 20.0


@dataclass(frozen=True)
class Expected:
    """A server, and when it closes: not before, and with the spread of its own not after. ms."""

    url: str
    from_ms: float
    to_ms: float
    options: tuple[str, ...] = ()
    #: Where it bears witness of the requests that it closed upon unread: tests/peers/held_up.py.
    held_up: Path | None = None

    def waited_ms(self):
        """How long each of them had been there, the longest first."""
        if self.held_up is None or not self.held_up.exists():
            return []
        return sorted(map(float, self.held_up.read_text().split()), reverse=True)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """What probes of all of them say, by name."""
    folder = tmp_path_factory.mktemp("nginx")
    held_up = tmp_path_factory.mktemp("gunicorn") / "held_up"
    with contextlib.ExitStack() as stack:
        node = program("node", shutil.which("node"))
        nginx = find_program("nginx", "nginx-light")
        short = ("--requests-per-connection", "0")
        expected = {
            # A second more than it is told: nodejs/node PR #54863.
            "node 20, 300 ms": Expected(servers.node(stack, node, 300), 1300, 1300),
            "node 20, 1000 ms": Expected(servers.node(stack, node, 1000), 2000, 2000, short),
            "node 14, 300 ms": Expected(servers.node(stack, str(NODE_14), 300), 300, 300, short),
            "uvicorn, 1 s": Expected(servers.uvicorn(stack, 1), 1000, 1000, short),
            # Its workers look once a second for connections that are over time.
            "gunicorn, 1 s": Expected(servers.gunicorn(stack, 1, held_up), 1000, 2000, short, held_up),
            "nginx, 1 s, 50 requests": Expected(servers.nginx(stack, nginx, folder, 1000, 50), 1000, 1000),
        }
        yield dict(zip(expected, zip(expected.values(), _probed(expected), strict=True), strict=True))


def _probed(expected):
    """Probes as processes of their own, side by side."""
    words = [sys.executable, "-m", "econnlab", "probe"]
    started = [
        subprocess.Popen([*words, each.url, *each.options, "--json", "-"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
        for each in expected.values()
    ]  # fmt: skip
    for process in started:
        out, _ = process.communicate(timeout=50)
        assert process.returncode == 0
        yield json.loads(out)


NAMES = (
    "node 20, 300 ms", "node 20, 1000 ms", "node 14, 300 ms", "uvicorn, 1 s", "gunicorn, 1 s",
    "nginx, 1 s, 50 requests",
)  # fmt: skip


@pytest.mark.skipif(not NODE_14.exists(), reason="Node 14.18.0 is not installed: make peers")
@pytest.mark.parametrize("name", NAMES)
def test_when_it_closes_is_found(documents, name):
    expected, document = documents[name]
    closes = document["idle"]["closed_after_ms"]
    own_spread = closes["max"] - closes["min"]
    assert document["idle"]["ends"] == "closed"
    assert closes["packets"] == {"FIN": closes["seen"]}
    assert expected.from_ms - NEAR_MS - STALE_MS <= closes["min"]
    assert closes["median"] <= expected.to_ms + NEAR_MS + own_spread + BUSY_MS


@pytest.mark.skipif(not NODE_14.exists(), reason="Node 14.18.0 is not installed: make peers")
@pytest.mark.parametrize("name", NAMES)
def test_the_window_is_where_it_closes_and_nothing_is_answered_after_it(documents, name):
    expected, document = documents[name]
    trials = [visit for visit in document["visits"] if visit["sent_ms"] is not None]
    lost = [visit for visit in trials if visit["outcome"] != "ok"]
    assert lost
    assert {visit["outcome"] for visit in lost} <= {"closed", "reset", "broken_pipe"}
    # Lost before their time are none, but for those that, as the server itself says, it let lie until then.
    before_ms = [expected.from_ms - visit["sent_ms"] - visit["late_ms"] for visit in lost]
    early = sorted((each for each in before_ms if each > BUSY_MS), reverse=True)
    waited = expected.waited_ms()
    assert len(waited) >= len(early)
    for least_ms, waited_ms in zip(early, waited, strict=False):
        assert waited_ms >= least_ms
    for visit in trials:
        assert visit in lost or visit["closed_ms"] is None
    window = document["window"]
    if window is None:  # not one send was punctual
        assert any("the race window" in each for each in document["unknown"])
    else:
        assert expected.from_ms - BUSY_MS <= window["edge_5"]["ms"] <= window["edge_95"]["ms"]
    assert document["limit_ms"] <= expected.from_ms


@pytest.mark.skipif(not NODE_14.exists(), reason="Node 14.18.0 is not installed: make peers")
def test_what_each_says_and_hides(documents):
    node20 = documents["node 20, 1000 ms"][1]
    assert node20["advertised"]["timeout_ms"] == 1000
    assert node20["idle"]["later_than_advertised_ms"] >= 980
    assert documents["uvicorn, 1 s"][1]["advertised"]["timeout_ms"] is None
    assert documents["uvicorn, 1 s"][1]["response"]["server"] == "uvicorn"
    assert documents["nginx, 1 s, 50 requests"][1]["requests_per_connection"] == {
        "answered": 50, "tried": 110, "announced": True, "outcome": None,
    }  # fmt: skip


def stopped(order):
    """The process that this file names, once it is stopped (proc_pid_stat(5))."""
    pid = order.read_text().strip()
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] if pid else ""
    return int(pid) if state == "T" else None


@pytest.mark.skipif(sys.platform != "linux", reason="Whether a process is stopped is read in /proc.")
def test_a_gunicorn_that_is_held_up_closes_on_a_request_that_came_in_time(tmp_path):
    """What a busy machine does to its worker now and then: the early losses above are gunicorn's.

    Having looked for requests it closes what is over time by its clock, and does not look again.
    """
    held_up, order = tmp_path / "held_up", tmp_path / "held_up.order"
    with contextlib.ExitStack() as stack:
        url = urlsplit(servers.gunicorn(stack, 1, held_up))

        def ask():
            connection = http.client.HTTPConnection(url.netloc, timeout=10)
            stack.enter_context(contextlib.closing(connection))
            connection.request("GET", "/")
            return connection

        kept = ask()
        assert kept.getresponse().read() == b"ok\n"
        answered = time.monotonic()
        order.touch()
        ask()  # once this one is kept as well, the worker is held up
        wait_until(lambda: stopped(order), "the worker to stop")
        stack.callback(os.kill, stopped(order), signal.SIGCONT)
        kept.request("GET", "/")
        assert time.monotonic() - answered < 0.7
        wait_until(lambda: time.monotonic() - answered > 1.3, "the idle time to be over")
        os.kill(stopped(order), signal.SIGCONT)
        with pytest.raises(ConnectionError):
            kept.getresponse()
    (waited_ms,) = map(float, held_up.read_text().split())
    assert 500 <= waited_ms <= 1500

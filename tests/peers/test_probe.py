"""``econnlab probe`` against servers that are not ours: all at the same time, so that waiting is shared."""

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

from econnlab.peers.process import find_program
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


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """What probes of all of them say, by name."""
    folder = tmp_path_factory.mktemp("nginx")
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
            "gunicorn, 1 s": Expected(servers.gunicorn(stack, 1), 1000, 2000, short),
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
    early = [each for each in lost if each["sent_ms"] + each["late_ms"] < expected.from_ms - BUSY_MS]
    # One in some 2000 visits to gunicorn met a close after 95 ms, on a busy machine; why is not known.
    assert len(early) <= (1 if name.startswith("gunicorn") else 0), early
    for visit in trials:
        assert visit in lost or visit["closed_ms"] is None
    window = document["window"]
    if window is None:  # not one send was punctual
        assert any("the race window" in each for each in document["unknown"])
    else:
        assert window["edge_5"]["ms"] <= window["edge_95"]["ms"]
        assert early or expected.from_ms - BUSY_MS <= window["edge_5"]["ms"]
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

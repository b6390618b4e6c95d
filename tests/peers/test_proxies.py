"""Real reverse proxies between the lab's clients and its server, and the race behind them."""

import os
import shutil
import signal

import pytest

from econnlab.attribution.expectations import broken
from econnlab.attribution.summary import summarize
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem
from econnlab.lab.checks import ensure_peers
from econnlab.lab.workers import Workers
from econnlab.peers.peer import PeerProcess
from econnlab.peers.store import find_program
from econnlab.scenario.catalogue import PEERS, load, names
from tests.conftest import children_of, is_running, wait_until
from tests.support.blind import judge

#: How often a run is repeated if, by its own clock, the lab was late.
AGAIN = 4


@pytest.mark.parametrize("name", names(PEERS))
def test_a_scenario_with_a_peer_holds_what_it_expects(name):
    scenario = load(name)
    try:
        ensure_peers(scenario)
    except EnvironmentProblem as problem:
        pytest.skip(f"{problem}: make peers")
    for _ in range(1 + AGAIN):
        with Workers([scenario], 1) as workers:
            (done,) = workers.results()
        assert done.error is None
        if not summarize(done.run).late:
            break
    assert broken(summarize(done.run), scenario.expect) == []
    score = judge([done.run], seed=1)
    assert not score.wrong


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_a_proxy_ends_with_a_worker_that_is_killed(cli, kind, monkeypatch):
    files = cli.folder / "files"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    proxy = parts("econnlab.peers.proxies")[kind]
    if shutil.which(proxy.PROGRAM, path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"{proxy.PROGRAM} is not installed: make peers")
    (cli.folder / "long.toml").write_text(
        f"[proxy]\nkind = '{kind}'\n[plan]\nintervals = '20ms'\nrequests = 100000\n"
    )
    process = cli.start("run", "long.toml")
    (worker,) = wait_until(lambda: children_of(process.pid), "the worker")

    def descendants():
        children = children_of(worker)
        found = [*children, *(below for child in children for below in children_of(child))]
        return found if len(found) == 3 else None

    family = wait_until(descendants, "server, keeper and proxy")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, [worker, *family])), "every process to end")
    wait_until(lambda: not list(files.iterdir()), "every file to go")
    process.communicate(timeout=20)


def test_what_is_not_installed_is_named_with_what_to_install():
    with pytest.raises(EnvironmentProblem, match=r"(?s)lynx-proxy is not installed.*apt-get install lynx"):
        find_program("lynx-proxy", "lynx")


def test_a_program_that_ends_at_once_is_told_by_its_last_words():
    peer = PeerProcess("sh", 1, lambda folder: ["sh", "-c", "echo no such luck; exit 1"])
    with pytest.raises(EnvironmentProblem, match=r"(?s)sh does not start.*no such luck"):
        peer.wait_until_listening()
    peer.stop()


def test_a_program_ends_with_whoever_started_it():
    peer = PeerProcess("sleep", 1, lambda folder: ["sleep", "1000"])
    (program,) = wait_until(lambda: children_of(peer._kept.pid), "the program")
    peer._kept.tell_to_end()  # as the kernel does when we die
    wait_until(lambda: not is_running(program), "its end")
    peer.stop()
    assert not children_of(os.getpid())

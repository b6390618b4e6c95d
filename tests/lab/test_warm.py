"""Processes that are forks of a warm one: as good as those that are started, and much sooner there."""

import os
import signal
import threading

import pytest

from econnlab.errors import EnvironmentProblem
from econnlab.lab.listeners import bind
from econnlab.lab.stage import Stage
from econnlab.lab.warm import Warm
from econnlab.record.events import Kind
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Ending, Fault, ServerSpec
from econnlab.scenario.server import Stage as At
from tests.conftest import children_of, is_running, wait_until
from tests.support.raw import Raw

PLAIN = Scenario("plain", link=parse_link("1ms"))


class Stages(Warm):
    """Starts stages."""

    def stage(self, scenario):
        return Stage(scenario, start=self)


@pytest.fixture
def stages():
    with Stages() as stages:
        yield stages


def ask(stage):
    with Raw(stage.address) as client:
        return client.ask()[0]


def test_many_in_a_row_and_side_by_side_leave_nothing(stages):
    with stages.stage(PLAIN):
        (warm,) = set(children_of(os.getpid()))
    for _ in range(20):
        with stages.stage(PLAIN) as stage:
            assert ask(stage) == 200
    with stages.stage(PLAIN) as first, stages.stage(PLAIN) as second:
        assert len(children_of(warm)) == 4
        assert {ask(first), ask(second)} == {200}
        assert [event.kind for event in first.events() if event.source == "server"].count(Kind.REQUEST) == 1
    assert children_of(warm) == []
    stages.close()
    assert not is_running(warm)


def test_several_threads_may_start_at_the_same_time(stages):
    statuses = []

    def start():
        with stages.stage(PLAIN) as stage:
            statuses.append(ask(stage))

    with stages.stage(PLAIN):
        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 8


def test_a_fork_that_is_killed_is_reported_by_its_signal(stages):
    crash = Scenario("crash", server=ServerSpec(fault=Fault(At.READ, Ending.KILL)))
    with stages.stage(crash) as stage:
        with Raw(stage.address) as client:
            client.send()
            client.ending()
        died = wait_until(lambda: [e for e in stage.events() if e.kind == Kind.DIED], "the end")
    assert [(event.reason, event.how) for event in died] == [("server", "SIGKILL")]


def test_a_fork_that_does_not_stop_is_killed(stages, monkeypatch):
    monkeypatch.setattr("econnlab.system.process.STOP_S", 0.1)
    with stages.stage(Scenario("plain")) as stage:
        (warm,) = children_of(os.getpid())
        (server,) = children_of(warm)
        os.kill(server, signal.SIGSTOP)
        assert stage.url
    assert not is_running(server)


def test_when_the_warm_process_is_killed_its_forks_live_and_another_takes_its_place(stages):
    with stages.stage(PLAIN) as stage:
        (warm,) = children_of(os.getpid())
        forks = children_of(warm)
        os.kill(warm, signal.SIGKILL)
        wait_until(lambda: not is_running(warm), "its end")
        assert ask(stage) == 200
        with stages.stage(PLAIN) as another:
            assert ask(another) == 200
    wait_until(lambda: not any(map(is_running, forks)), "the forks' end")


def test_one_that_does_not_answer_says_so_and_leaves_no_port_bound(stages, monkeypatch):
    with stages.stage(Scenario("plain")) as stage:
        port = stage.address[1]
        (warm,) = children_of(os.getpid())
    os.kill(warm, signal.SIGSTOP)
    monkeypatch.setattr("econnlab.lab.warm.ANSWER_S", 0.2)
    monkeypatch.setattr("econnlab.system.process.STOP_S", 0.1)
    again = Scenario("again", server=ServerSpec(port=port))
    with pytest.raises(EnvironmentProblem, match="does not answer"), stages.stage(again):
        pass
    bind("127.0.0.1", port).close()


def test_a_port_can_be_had_again_at_once(stages):
    with stages.stage(Scenario("first")) as stage:
        ask(stage)
        port = stage.address[1]
    with stages.stage(Scenario("second", server=ServerSpec(port=port))) as stage:
        assert ask(stage) == 200

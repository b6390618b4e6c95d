"""Packets judged as they pass, by a clock of the test's: the verdicts of ``diagnose``, in bounded memory."""

import inspect
import random
from collections import Counter

import pytest

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.attribution.packets.running import Limits, Running
from econnlab.packets.flows import follow
from tests.support.talk import GET, Talk, captured, ns
from tests.unit import test_packet_causes

SECOND = 1_000_000_000
LIMITS = Limits(conversations=2000, lives=2000)
CAUSES = [
    function
    for name, function in vars(test_packet_causes).items()
    if name.startswith("test_")
    and not inspect.signature(function).parameters
    and not hasattr(function, "hypothesis")  # packets out of any order, which no ring hands over
]


def live(frames, running=None, *, after_s=0):
    """Feed ``frames`` second by second, then ``after_s`` seconds in which nothing comes; what was found."""
    running = running or Running(LIMITS)
    found, waiting = [], []
    tick = frames[0].at_ns + SECOND if frames else 0
    for frame in frames:
        while frame.at_ns >= tick:
            running.add(waiting)
            waiting = []
            found += running.judge(tick)
            tick += SECOND
        waiting.append(frame)
    running.add(waiting)
    for _ in range(after_s):
        found += running.judge(tick)
        tick += SECOND
    return running, found


def told(findings):
    return Counter(
        (each.client, each.server, each.request, each.attempt.outcome, each.verdict, each.lost)
        for each in findings
    )


def counted(servers):
    return {
        each.address: (each.connections, each.requests, each.lost, each.resets, each.causes)
        for each in servers
    }


def race(port, begin=0.0, **ends):
    talk = Talk(port=port, **ends).open(begin).talk(begin + 0.01)
    return talk.fin(begin + 5.015).ask(begin + 5.016).arrives(at="client").no_socket(begin + 5.017)


def well(port, begin=0.0, **ends):
    return Talk(port=port, **ends).open(begin).talk(begin + 0.01).fin(begin + 1, "client").fin(begin + 1.01)


@pytest.mark.parametrize("case", CAUSES, ids=lambda case: case.__name__)
def test_every_case_of_diagnose_gets_its_verdict(case, monkeypatch):
    """The tests of the causes, each with its packets judged both ways."""

    def both(frames):
        running, found = live(list(frames))
        found += running.finish(running.traffic.ended)
        whole = diagnose(follow(frames))
        assert told(found) == told(whole.findings)
        assert counted(running.reports_now().servers) == counted(whole.servers)
        return whole

    monkeypatch.setattr(test_packet_causes, "follow", lambda frames: frames)
    monkeypatch.setattr(test_packet_causes, "diagnose", both)
    case()


def test_a_failure_is_told_some_seconds_after_its_connection_has_ended():
    frames = captured(race(40000), well(40001, 4.0), well(40002, 5.5))
    running, found = live(frames)
    assert not found
    found = running.judge(ns(6.0))
    assert not found
    (finding,) = running.judge(ns(7.5))
    assert finding.verdict.cause == "keepalive_race"
    assert not running.judge(ns(8.5))
    assert not running.finish(ns(9))


def test_a_verdict_waits_for_what_the_server_does_next():
    """Nothing of the server stands: whether it died is known when its next connection is refused or not."""
    alone = captured(Talk().open().talk(0.01).ask(1.0).arrives(at="server").fin(1.1))
    running, _ = live(alone)
    running.add(captured(Talk().fin(1.2, "client")))
    assert not running.judge(ns(30))
    (finding,) = running.judge(ns(70)) or running.finish(ns(70))
    assert finding.lost


def test_an_error_is_told_while_its_connection_goes_on():
    error = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    talk = Talk(port=40000).open().ask(0.01).answer(0.02, error)
    running, found = live(captured(talk, Talk(port=40001).open().talk(0.01)), after_s=4)
    (finding,) = found
    assert finding.attempt.status == 503
    assert not running.judge(ns(20))


def test_both_hops_of_a_proxy_are_one_failure():
    asked = GET[:-2] + b"X-Request-Id: abc\r\n\r\n"
    front = Talk(client="10.0.0.9", port=50000, listens=80).open(20.0).ask(20.1, asked)
    behind = Talk(client="10.0.0.2", port=45000, server="10.0.0.3", listens=9000).open(20.0).talk(20.01)
    behind.fin(20.1001).arrives(at="client").ask(20.1002, asked).no_socket(20.1003)
    front.answer(20.101, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    running, found = live(captured(front, behind), after_s=200)
    found += running.finish(ns(230))
    (finding,) = found
    assert finding.decided_on is not None


def test_what_went_well_leaves_only_its_counts():
    talks = [well(30000 + number, number * 0.05) for number in range(2000)]
    running, found = live(captured(*talks), after_s=20)
    assert not found
    assert not running.traffic.conversations
    (server,) = running.reports_now().servers
    assert (server.connections, server.requests) == (2000, 2000)


def test_failures_are_released_as_well():
    talks = [race(30000 + number, number * 0.5) for number in range(400)]
    running, found = live(captured(*talks), after_s=200)
    assert len(found) == 400
    assert not running.traffic.conversations
    (server,) = running.reports_now().servers
    assert (server.connections, server.lost) == (400, 400)
    assert running.given_up == 0


def test_more_connections_than_are_kept_are_given_up_and_counted():
    running = Running(Limits(conversations=100, lives=100))
    live(
        captured(
            *(Talk(port=30000 + number).open(number / 100).talk(number / 100 + 0.01) for number in range(500))
        ),
        running,
    )
    assert len(running.traffic.conversations) <= 100
    assert running.given_up >= 400
    (server,) = running.reports_now().servers
    assert server.connections == 500


def test_how_long_a_server_lets_connections_be_idle_outlives_them():
    early = Talk(port=40000).open().talk(0.01, 8.0).fin(8.1, "client").fin(8.11)
    running = Running(Limits(conversations=100, lives=10))
    others = [well(41000 + number, 10 + number) for number in range(50)]
    live(captured(early, *others), running, after_s=5)
    (server,) = running.reports_now().servers
    assert server.survived_s == pytest.approx(8.0, abs=0.1)


def test_refused_connections_are_counted_once():
    frames = captured(*(Talk(port=30000 + number).refuse(number * 0.1) for number in range(100)))
    running, _ = live(frames, after_s=100)
    running.finish(ns(200))
    (server,) = running.reports_now().servers
    assert server.causes == {"not_listening": 100}
    assert server.lost == 100


def test_a_mixed_hour_comes_to_the_same_counts():
    chance = random.Random(7)
    talks = [
        (race if chance.random() < 0.1 else well)(
            20000 + number, chance.random() * 600, listens=80 + number % 3
        )
        for number in range(600)
    ]
    frames = captured(*talks)
    running, found = live(frames)
    found += running.finish(running.traffic.ended)
    whole = diagnose(follow(frames))
    assert told(found) == told(whole.findings)
    assert counted(running.reports_now().servers) == counted(whole.servers)

"""Judging while packets come says what judging the whole capture says, and keeps no more than it must."""

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.attribution.packets.engine import Engine
from econnlab.attribution.packets.wanted import Wanted
from econnlab.packets.flows import follow
from econnlab.packets.frames import raw_of
from tests.support.talk import BEGAN, GET, Talk, captured


def traffic():
    talks = []
    for number in range(40):
        at = number * 2.0
        talk = Talk(port=40000 + number).open(at).talk(at + 0.01)
        if number % 4 == 0:
            talk.fin(at + 5.015).ask(at + 5.016).arrives(at="client").no_socket(at + 5.017)
        elif number % 4 == 1:
            talk.ask(at + 1.0).arrives(at="server").fin(at + 1.2)
        else:
            talk.fin(at + 5.02).arrives(at="client").fin(at + 5.03, "client")
        talks.append(talk)
    talks += [Talk(port=50000 + number, listens=9999).refuse(number) for number in range(3)]
    stuck = Talk(port=39000).open(1.0).talk(1.1).ask(40.0)
    for at in (40.2, 40.6, 41.4, 43.0):
        stuck.send(at, "client", GET, seq=1001 + len(GET))
    return captured(*talks, stuck)


def watched(frames, engine, step=20):
    findings = []
    for begin in range(0, len(frames), step):
        batch = [raw_of(frame) for frame in frames[begin : begin + step]]
        engine.add(batch)
        findings += engine.judge(batch[-1][0])
    return findings + engine.finish()


def test_it_finds_what_a_look_at_the_whole_finds():
    frames = traffic()
    found, engine = watched(frames, engine := Engine()), engine
    whole = diagnose(follow(frames))
    told = sorted((finding.client, finding.verdict.cause) for finding in found)
    failed = [(finding.client, finding.verdict.cause) for finding in whole.findings]
    assert told == sorted(each for each in failed if each[1] != "not_listening"), "refusals are only counted"
    assert (
        sum((totals.causes for totals in engine.servers.values()), whole.causes - whole.causes)
        == whole.causes
    )
    for server in whole.servers:
        totals = engine.servers[server.address]
        assert (totals.requests, totals.lost) == (server.requests, server.lost)


def test_a_connection_that_is_judged_is_forgotten():
    engine = Engine()
    watched(traffic(), engine)
    assert not engine.traffic.conversations
    assert not engine.traffic.bygones and not engine.traffic.refusals


def test_what_is_kept_does_not_grow_with_the_traffic():
    def kept(count):
        engine = Engine()
        talks = [
            Talk(port=10000 + n).open(n).talk(n + 0.1).fin(n + 1.0).fin(n + 1.1, "client")
            for n in range(count)
        ]
        most = 0
        frames = captured(*talks)
        for begin in range(0, len(frames), 20):
            batch = [raw_of(frame) for frame in frames[begin : begin + 20]]
            engine.add(batch)
            engine.judge(batch[-1][0])
            most = max(most, len(engine.traffic.conversations) + sum(map(len, engine._lives.values())))
        return most

    assert kept(600) <= kept(300) + 10


def test_a_failure_is_told_once_though_the_connection_stands():
    frames = [frame for frame in traffic() if frame.at_ns > (BEGAN + 39) * 10**9]
    found = watched(frames, Engine(), step=1)
    keys = [(finding.client, finding.at) for finding in found]
    assert len(keys) == len(set(keys))


def test_only_what_is_wanted_is_counted():
    engine = Engine(Wanted(port=9999))
    assert {finding.verdict.cause for finding in watched(traffic(), engine)} <= {"not_listening"}
    assert set(engine.servers) == {"10.0.0.2:9999"}

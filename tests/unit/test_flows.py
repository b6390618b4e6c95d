"""Packets sorted into connections: what is kept, and that little is."""

import tracemalloc

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets import tracking
from econnlab.packets.flows import follow
from tests.support.talk import OK, Talk, captured


def many(count):
    """Connections that end well, one that does not, one that is refused, and one that stands."""
    talks = []
    for number in range(count):
        talk = Talk(port=10000 + number).open(number).talk(number + 0.1, number + 1.0)
        talks.append(talk.fin(number + 6.005).arrives(at="client").fin(number + 6.1, "client"))
    lost = Talk(port=9000).open(3).talk(3.1).fin(8.105).ask(8.2).arrives(at="client").no_socket(8.3)
    return [*talks, lost, Talk(port=9001).refuse(4), Talk(port=9002).open(5).talk(5.1)]


def test_what_is_over_and_well_is_let_go_and_still_counts(monkeypatch):
    kept = diagnose(follow(captured(*many(50))))
    monkeypatch.setattr(tracking, "LATE", 3)
    traffic = follow(captured(*many(50)))
    assert len(traffic.conversations) < 10
    assert len(traffic.bygones) > 45
    assert diagnose(traffic).servers == kept.servers
    assert diagnose(traffic).causes == kept.causes == {"keepalive_race": 1, "not_listening": 1}
    assert diagnose(traffic).connections == 52


def test_refusals_are_let_go_as_well(monkeypatch):
    scan = [Talk(port=20000 + port, listens=port).refuse(port / 100) for port in range(100, 200)]
    kept = diagnose(follow(captured(*scan)))
    monkeypatch.setattr(tracking, "LATE", 3)
    traffic = follow(captured(*scan))
    assert len(traffic.refusals) == 97
    assert diagnose(traffic).causes == kept.causes == {"port_scan": 100}


def test_memory_does_not_grow_with_connections_that_ended_well(monkeypatch):
    """Beside the packets that wait to be put in order, which are as many in any capture."""
    monkeypatch.setattr(tracking, "LATE", 10)
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000

    def frames(count):
        for number in range(count):
            talk = Talk(port=10000 + number).open(number).talk(number + 0.1, response=big)
            yield from talk.fin(number + 6.0).arrives(at="client").fin(number + 6.1, "client").frames

    def peak(count):
        tracemalloc.start()
        try:
            follow(frames(count))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(500) - peak(300) < 200 * 1000


def test_counts_and_times():
    talk = Talk().open().talk(0.1)
    frames = captured(talk)
    cut = [frame._replace(data=frame.data[:60]) for frame in frames]
    noise = frames[0]._replace(data=b"\0" * 60)
    traffic = follow([*cut, noise])
    assert (traffic.frames, traffic.others, traffic.shortened) == (len(frames) + 1, 1, 2)
    assert traffic.ended - traffic.began == 105_000_000
    assert len(OK) > 6

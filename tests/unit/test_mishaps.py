"""What happens to a capture makes no losses: healthy traffic stays healthy, and real ones are found."""

import pytest

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets.conversation import Unjudged
from econnlab.packets.flows import follow
from econnlab.packets.frames import ETHERNET, Frame
from tests.support import mishaps
from tests.support.talk import GET, OK, Talk, captured

POST = b"POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 2500\r\n\r\n" + b"p" * 2500
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"l" * 5000
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"7d0\r\n" + b"c" * 2000 + b"\r\n0\r\n\r\n"
)
SIZE = 1000


def healthy():
    """Connections that stand side by side: requests and answers of several packets, each acknowledged."""
    talks = []
    for number in range(30):
        at = number * 0.01
        talk = Talk(port=40000 + number).open(at)
        for turn in range(6):
            at += 0.1
            for who, data in (
                ("client", (GET, POST)[turn % 2]),
                ("server", (OK, LONG, CHUNKED)[(turn + number) % 3]),
            ):
                talk.arrives(at=who)
                for begin in range(0, len(data), SIZE):
                    at += 0.0002
                    talk.send(at, who, data[begin : begin + SIZE])
                other = "server" if who == "client" else "client"
                talk.arrives(at=other).send(at + 0.0001, other)
        first, second = ("server", "client") if number % 2 else ("client", "server")
        talk.arrives(at=first).fin(at + 1, first).arrives(at=second).fin(at + 1.001, second)
        talks.append(talk.arrives(at=first).send(at + 1.002, first))
    return talks


def mishandled(frames, mishap, seed):
    pairs = [(frame.at_ns, frame.data) for frame in frames]
    return [
        Frame(at, ETHERNET, data, len(data))
        for at, data in mishap(pairs, mishaps.chance(mishap.__name__, seed))
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mishap", mishaps.ALL, ids=lambda each: each.__name__)
def test_nothing_is_lost_that_was_not(mishap, seed):
    found = diagnose(follow(mishandled(captured(*healthy()), mishap, seed)))
    assert [finding.verdict for finding in found.findings if finding.lost] == []


@pytest.mark.parametrize("mishap", [mishaps.swapped, mishaps.misplaced, mishaps.doubled])
def test_what_is_only_out_of_place_is_counted_all_the_same(mishap):
    whole = diagnose(follow(captured(*healthy())))
    found = diagnose(follow(mishandled(captured(*healthy()), mishap, 1)))
    assert found.servers[0].requests == whole.servers[0].requests == 180
    assert found.gaps == 0
    assert not found.unjudged


@pytest.mark.parametrize("mishap", [mishaps.swapped, mishaps.misplaced, mishaps.doubled])
def test_real_losses_are_found_among_them(mishap):
    talks = healthy()
    for number in range(10):
        at = 0.5 + number / 10
        talk = Talk(port=50000 + number).open(at).talk(at + 0.01).ask(at + 0.5).arrives(at="server")
        talks.append(talk.fin(at + 0.9).arrives(at="client").fin(at + 0.95, "client"))
    found = diagnose(follow(mishandled(captured(*talks), mishap, 2)))
    assert [finding.verdict.cause for finding in found.findings if finding.lost] == [
        "reset_after_processing"
    ] * 10


def test_bytes_that_are_missing_are_known_to_be():
    talk = Talk().open().talk(0.01).ask(1.0).arrives(at="server").send(1.01, "server", LONG[:1000])
    talk.arrives(at="client")._next["server"] += 1000  # sent, and not captured
    talk.send(1.02, "server", LONG[2000:3000]).arrives(at="client").send(1.03, "client")
    found = diagnose(follow(captured(talk.fin(2.0).arrives(at="client").fin(2.1, "client"))))
    (finding,) = found.findings
    assert (
        "3000 of 5041 bytes" in finding.verdict.evidence or "3000 bytes of 5041" in finding.verdict.evidence
    )
    assert found.gaps == 1


def test_an_answer_that_may_be_missing_is_not_judged():
    talk = Talk().open().talk(0.01).ask(1.0).arrives(at="server")
    talk._next["server"] += 700
    found = diagnose(follow(captured(talk.fin(2.0).arrives(at="client").fin(2.1, "client"))))
    assert (found.findings, found.unjudged) == ((), {Unjudged.MISSING: 1})


def test_a_long_hole_is_waited_for():
    """The network lost a packet, and what follows it came first."""
    talk = Talk().open().ask(0.01).arrives(at="server")
    begin = talk._next["server"]
    for number in range(2, 7):
        talk.send(
            0.02 + number / 1e4,
            "server",
            LONG[(number - 1) * 800 : number * 800],
            seq=begin + (number - 1) * 800,
        )
    talk.send(0.25, "server", LONG[:800], seq=begin)
    talk.send(0.26, "server", LONG[4800:], seq=begin + 4800)
    talk._next["server"] = begin + len(LONG)
    found = diagnose(
        follow(captured(talk.arrives(at="client").send(0.27, "client").fin(1.0, "client").fin(1.1)))
    )
    assert [finding.verdict for finding in found.findings if finding.lost] == []
    assert found.gaps == 0

"""The benchmark's made-up hour is what it says: packets in order, and as many of each kind."""

import io
from collections import Counter

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets.flows import follow
from econnlab.packets.layers import RST, SYN, segment
from econnlab.packets.reading import read_capture
from tests.benchmarks.traffic import write_traffic


def written(packets, seed=1):
    stream = io.BytesIO()
    return write_traffic(stream, packets, seed), stream.getvalue()


def test_it_holds_what_it_says():
    begun, data = written(20_000)
    frames = list(read_capture(io.BytesIO(data)))
    segments = [segment(frame.link_type, frame.data, frame.length) for frame in frames]
    assert len(segments) == 20_000 and None not in segments
    assert [frame.at_ns for frame in frames] == sorted(frame.at_ns for frame in frames)
    kinds = "server closes, client closes, race, unread, refused, truncated, scan".split(", ")
    assert {"race": 6, "unread": 2, "refused": 2, "truncated": 2, "scan": 1}.items() <= begun.items()
    assert set(begun) == set(kinds)
    flags = Counter(each.flags for each in segments)
    assert flags[RST] == 12, "two of each race"
    assert sum(count for each, count in flags.items() if each & RST) == 12 + 2 + 2 + 200
    assert flags[SYN] - 200 + 1 <= begun.total()
    assert any(each.size > each.end - each.start for each in segments), "bodies are cut"


def test_the_diagnosis_counts_what_was_put_in():
    begun, data = written(20_000)
    found = diagnose(follow(read_capture(io.BytesIO(data))))
    causes = Counter(finding.verdict.cause for finding in found.findings)
    assert causes == {
        "keepalive_race": begun["race"],
        "unread_data": begun["unread"],
        "not_listening": begun["refused"],
        "response_cut": begun["truncated"],
        "port_scan": 200,
    }


def test_it_is_the_same_for_the_same_seed():
    assert written(3_000) == written(3_000) != written(3_000, seed=2)

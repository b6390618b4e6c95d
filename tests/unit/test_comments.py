"""Which packet says what: an attempt's verdict on the packet that carries or ended it. Frames made up."""

import errno
import io
import socket
from dataclasses import replace

import pytest

from econnlab.attribution.notes import warnings
from econnlab.attribution.summary import summarize
from econnlab.commands.experiments import capturing
from econnlab.commands.experiments.report.comments import commented
from econnlab.lab.capturing import Where
from econnlab.packets.frames import ETHERNET, RAW, Frame
from econnlab.packets.live.recording import Recording
from econnlab.packets.live.ring import Packet
from econnlab.packets.order import in_order
from econnlab.packets.reading import read_capture
from econnlab.record.attempts import Outcome
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.scenario.catalogue import load
from tests.support import making
from tests.support.packets import packet_of

EPOCH = 1_700_000_000.0
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
CLIENT, LINK, SERVER = 40001, 50000, 8080
HOME = socket.inet_aton("127.0.0.1")


def frame(at, source, target, flags, payload=b"", sequence=1, hosts=(HOME, HOME)):
    """At this monotonic time."""
    data = bytes(12) + b"\x08\x00" + packet_of(*hosts, source, target, sequence, flags, payload)
    return Frame(round((EPOCH + at) * 1e9), ETHERNET, data, len(data))


def asks(at, sequence=1, source=CLIENT, **given):
    return frame(at, source, LINK, PSH | ACK, b"GET / HTTP/1.1\r\n\r\n", sequence, **given)


def run_of(*requests, far=LINK):
    listening = ConnectionEvent(90.0, Source.CAPTURE, Kind.LISTENING, local=f"127.0.0.1:{far}")
    run = making.run(*requests, events=[listening], link="article")
    run.facts = replace(run.facts, epoch=EPOCH)
    return run


def said(frames, *requests, **given):
    return [each.comment for each in commented(frames, summarize(run_of(*requests, **given)))]


WELL = making.attempt()
LOST = making.lost(planned=104.999, began=104.999, sent=105.0, ended=105.004)


def test_a_request_says_how_it_ended_and_the_packet_that_ended_it_says_so():
    met = said(
        [
            frame(99.9999, CLIENT, LINK, SYN),
            frame(99.99991, LINK, CLIENT, SYN | ACK),
            asks(100.0001),
            frame(100.004, LINK, CLIENT, PSH | ACK, b"HTTP/1.1 200 OK\r\n\r\n"),
            asks(105.0001, sequence=19),
            frame(105.003, LINK, CLIENT, FIN | ACK),
            frame(105.0035, LINK, CLIENT, RST),
        ],
        WELL,
        LOST,
    )
    verdict = "closed, unknown (likely): "
    assert met[:4] == ["", "", "econnlab: request 1 of session 1, attempt 1: ok, 200 in 4.0 ms", ""]
    assert met[4].startswith(f"econnlab: request 2 of session 1, attempt 1: {verdict}")
    assert met[4].endswith("; not carried out")
    assert met[5].startswith(f"econnlab: this FIN ended request 2 of session 1, attempt 1: {verdict}")
    assert met[6] == ""


def test_a_fin_that_came_before_the_request_is_the_one_that_ended_it():
    met = said([asks(100.0001), frame(103.0, LINK, CLIENT, FIN | ACK), asks(105.0001, 19)], WELL, LOST)
    assert "this FIN ended request 2" in met[1]
    assert "request 2 of session 1" in met[2]


def test_the_links_own_connection_from_the_same_port_is_another_one():
    """connect(2) gives a port twice where the far ends differ."""
    beyond = frame(100.0002, CLIENT, SERVER, PSH | ACK, b"GET / HTTP/1.1\r\n\r\n")
    assert said([beyond, asks(100.0003)], WELL)[0] == ""
    assert said([beyond, asks(100.0003)], WELL)[1]


def test_what_is_sent_again_says_nothing_and_a_write_that_failed_had_no_packet():
    broken = making.lost(Outcome.BROKEN_PIPE, began=104.999, sent=105.0, ended=105.001)
    met = said([asks(100.0001), asks(100.3), asks(105.0005)], WELL, broken)
    assert [bool(each) for each in met] == [True, False, False]


def test_a_port_that_comes_up_again_is_another_connection():
    later = making.attempt(session=2, connection=2, began=110.0, sent=110.001, ended=110.002)
    met = said([asks(100.0001), asks(110.0011, sequence=7)], WELL, later)
    assert ["of session 1" in met[0], "of session 2" in met[1]] == [True, True]


def test_a_refused_client_never_learned_its_address_and_its_rst_says_why():
    refused = making.attempt(
        outcome=Outcome.REFUSED, local=f"0.0.0.0:{CLIENT}", sent=None, status=None, first_byte=None
    )
    met = said([frame(99.9999, CLIENT, LINK, SYN), frame(99.99995, LINK, CLIENT, RST | ACK)], refused)
    assert met[0] == ""
    assert met[1].startswith("econnlab: this RST ended request 1 of session 1, attempt 1: refused, ")


def test_packets_of_nobody_s_and_runs_of_unknown_time_say_nothing():
    stranger = [asks(100.0001, source=1234), frame(100.0, 1, 2, ACK), Frame(0, RAW, b"", 0)]
    assert said(stranger, WELL) == [""] * 3
    run = run_of(WELL)
    run.facts = replace(run.facts, epoch=None)
    assert [each.comment for each in commented([asks(100.0001)], summarize(run))] == [""]


def test_on_a_wire_the_packet_as_the_client_sent_it_is_meant():
    near, far = socket.inet_aton("10.77.0.1"), socket.inet_aton("10.77.0.2")
    attempt = making.attempt(local=f"10.77.0.1:{CLIENT}")
    out, turned = asks(100.0001, hosts=(near, far)), asks(100.002, hosts=(far, near))
    assert [bool(each) for each in said([out, turned], attempt)] == [True, False]


def test_packets_that_overtook_one_another_are_put_in_order():
    times = [5, 3, 4, 1, 2, *range(10, 600), 599]
    frames = [Frame(at, RAW, bytes([number % 256]), 1) for number, at in enumerate(times)]
    assert list(in_order(frames)) == sorted(frames, key=lambda each: each.at_ns)


# -- what the kernel gave -------------------------------------------------------------------------


def packet(at_ns=1_700_000_000_123_456_789, hardware=772, interface=1):
    data = bytes(12) + b"\x08\x00" + packet_of(HOME, HOME, 1, 2, 3, ACK, b"x" * 9)
    network = 14
    if hardware == 65534:
        data, network = data[14:], 0
    return Packet(at_ns, interface, hardware, data, network, len(data) + 1000)


def test_each_interface_has_its_link_type_and_nothing_is_rounded():
    stream = io.BytesIO()
    recording = Recording(stream, "if{}".format)
    recording.add([packet(), packet(hardware=65534, interface=2), packet(at_ns=5)])
    recording.finish()
    stream.seek(0)
    frames = list(read_capture(stream))
    assert [each.link_type for each in frames] == [ETHERNET, RAW, ETHERNET]
    assert [each.at_ns for each in frames] == [packet().at_ns, packet().at_ns, 5]
    assert frames[0].data == packet().data and frames[0].length == packet().length
    assert recording.packets == 3


def test_of_an_unknown_kind_of_interface_ip_is_kept():
    stream = io.BytesIO()
    Recording(stream, "if{}".format).add([packet(hardware=512)])
    stream.seek(0)
    (only,) = read_capture(stream)
    assert (only.link_type, only.data, only.length) == (RAW, packet().data[14:], packet().length - 14)


class Full(io.BytesIO):
    def write(self, data):
        if self.tell() > 200:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_ends_the_recording_and_takes_the_packets_all_the_same():
    recording = Recording(Full(), "if{}".format)
    packets = iter([packet()] * 10)
    recording.add(packets)
    recording.finish()
    assert recording.failed == "ENOSPC"
    assert 0 < recording.packets < 10
    assert next(packets, None) is None


@pytest.mark.parametrize(
    ("captured", "warned"),
    [
        ({"dropped": 0}, ""),
        ({"dropped": 7}, "lacks 7 packets that came too fast, beside 100 that it has"),
        ({"dropped": 7, "errno": "ENOSPC"}, "could not be written (ENOSPC)"),
    ],
)
def test_gaps_are_warned_of(captured, warned):
    run = run_of(WELL)
    run.events.append(ConnectionEvent(101.0, Source.CAPTURE, Kind.CAPTURED, packets=100, **captured))
    said = " ".join(warnings(summarize(run)))
    assert warned in said
    assert bool(said) is bool(warned)


# -- without the right ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (None, "sudo tcpdump -i lo -U -w 'a b' tcp"),
        ("http://localhost:3000/x", "sudo tcpdump -i lo -U -w 'a b' 'tcp port 3000'"),
        ("http://[::1]/", "sudo tcpdump -i lo -U -w 'a b' 'tcp port 80'"),
        ("https://shop.example/", "sudo tcpdump -i any -U -w 'a b' 'tcp port 443'"),
    ],
)
def test_who_may_not_capture_is_told_how(tmp_path, monkeypatch, capsys, url, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(capturing, "where_to_capture", lambda _: (Where.NOWHERE, "Not here."))
    monkeypatch.setattr("sys.platform", "linux")
    scenario = load("keepalive")
    if url is not None:
        scenario = replace(scenario, server=None, url=url)
    with capturing.Capture("a b", scenario) as capture:
        assert (capture.into, capture.private, list(capture.frames())) == (None, False, [])
        capture.write(summarize(run_of(WELL)))
    warning, *_, line = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: Not here. ") and line == f"  {command}"
    assert not list(tmp_path.iterdir())


def test_a_network_that_nobody_else_sees_is_none_for_tcpdump(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(capturing, "where_to_capture", lambda _: (Where.NOWHERE, "Not here."))
    with capturing.Capture(str(tmp_path / "x"), load("backlog-overflow-reset")):
        assert "tcpdump" not in capsys.readouterr().err

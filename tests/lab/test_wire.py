"""The wire's process between a pair of sockets in place of the device: no privilege needed."""

import contextlib
import select
import socket
from decimal import Decimal
from ipaddress import IPv4Address

import pytest

from econnlab.lab.children import Child
from econnlab.link.settings import WireSettings
from econnlab.link.tun.device import FAR, NEAR
from econnlab.link.tun.packets import ACK, FIN, RST, SYN, tcp_segment, turned_round
from econnlab.record.events import Kind
from econnlab.scenario.links import Delay, LinkSpec
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S
from tests.support.packets import packet_of

PORT = 8080
HERE, THERE = IPv4Address(NEAR).packed, IPv4Address(FAR).packed


class Handed:
    """The wire's end of the pair, as Child takes what it hands on."""

    def __init__(self, sock):
        self.fileno, self.close = sock.fileno, sock.close

    def getsockname(self):
        return FAR, PORT


class Ends:
    """The kernel's end: what it sends comes out of the device."""

    def __init__(self, spec):
        self.sock, wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(DEADLINE_S)
        settings = WireSettings(spec=spec, seed=1, port=PORT)
        self.child = Child("econnlab.link.tun", Handed(wire), settings)
        self.child.wait_until_listening()

    def client(self, flags, sequence=1, payload=b"", port=40000):
        return self._send(port, PORT, sequence, flags, payload)

    def server(self, flags, sequence=1, payload=b"", port=40000):
        return self._send(PORT, port, sequence, flags, payload)

    def _send(self, source, target, sequence, flags, payload):
        packet = packet_of(HERE, THERE, source, target, sequence, flags, payload)
        self.sock.send(packet)
        return packet

    def receive(self):
        return self.sock.recv(65535)

    def events(self):
        self.child.sync()
        return [event for event in self.child.take_events() if event.connection is not None]


@pytest.fixture
def start():
    with contextlib.ExitStack() as stack:

        def begin(to_server="0", to_client="0", jitter="0"):
            delays = [Delay(Decimal(median), Decimal(jitter)) for median in (to_server, to_client)]
            ends = Ends(LinkSpec("custom", *delays))
            stack.callback(ends.sock.close)
            stack.callback(ends.child.stop)
            return ends

        yield begin


def test_each_packet_comes_back_turned_round_after_the_delay_of_its_direction(start):
    ends = start(to_server="60", to_client="5")
    began = now()
    slow = ends.client(SYN)
    fast = ends.server(SYN | ACK)
    assert ends.receive() == turned_round(fast)
    assert now() - began >= 0.005
    assert ends.receive() == turned_round(slow)
    assert now() - began >= 0.060


def test_nothing_overtakes_whatever_the_jitter(start):
    ends = start(to_server="2", jitter="2")
    sent = [ends.client(ACK, sequence=number) for number in range(200)]
    assert [ends.receive() for _ in sent] == [turned_round(packet) for packet in sent]


def test_what_is_no_tcp_over_ipv4_is_not_carried(start):
    ends = start()
    ends.sock.send(b"\x60" + bytes(60))
    ends.sock.send(b"nonsense")
    last = ends.client(SYN)
    assert ends.receive() == turned_round(last)


def test_the_ledger_tells_each_packet_that_opens_closes_or_carries(start):
    ends = start(to_server="10", to_client="10")
    for send, flags, payload in (
        (ends.client, SYN, b""),
        (ends.server, SYN | ACK, b""),
        (ends.client, ACK, b""),
        (ends.client, ACK, b"question"),
        (ends.server, FIN | ACK, b"answer"),
        (ends.client, RST, b""),
    ):
        send(flags, payload=payload)
        ends.receive()
    events = ends.events()
    assert [(event.kind, event.side, event.bytes) for event in events] == [
        (Kind.ACCEPTED, None, None),
        (Kind.CONNECTED, None, None),
        ("syn", "client", None),
        ("syn", "server", None),
        (Kind.BYTES, "client", 8),
        (Kind.BYTES, "server", 6),
        (Kind.FIN, "server", None),
        (Kind.RST, "client", None),
    ]
    assert events[0].peer == f"{NEAR}:40000"
    assert events[1].local == f"{FAR}:40000"
    assert {event.connection for event in events} == {1}
    assert all(event.at - event.began >= 0.010 for event in events if event.side)


def test_a_syn_sent_again_is_the_same_connection_and_a_port_used_again_is_not(start):
    ends = start()
    for sequence, port in ((7, 40000), (7, 40000), (8, 40001), (9, 40000)):
        ends.client(SYN, sequence, port=port)
        assert tcp_segment(ends.receive()).sequence == sequence
    syns = [event for event in ends.events() if event.kind == "syn"]
    assert [event.connection for event in syns] == [1, 1, 2, 3]


def test_it_ends_when_it_is_told_to_with_packets_under_way(start):
    ends = start(to_server="5000")
    ends.client(SYN)
    ends.child.sync()
    began = now()
    ends.child.stop()
    assert now() - began < 2
    assert ends.child.take_events()[-1].kind == Kind.STOPPED
    assert select.select([ends.sock], [], [], DEADLINE_S)[0]
    assert ends.sock.recv(1) == b""

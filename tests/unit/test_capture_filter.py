"""The capture's filter, run by a small machine of its own: classic BPF as filter.rst has it."""

import socket
import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.packets.live.filter import MOST_PORTS, program, watching
from tests.support.packets import packet_of

LO, ETH0, WIRE = 1, 2, 3
HOST, OUTGOING = 0, 4
IPV4, IPV6 = 0x0800, 0x86DD
A, B = socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.2")
NET_OFF, AD_OFF = -0x100000, -0x1000


@dataclass(frozen=True)
class Passing:
    """A packet with what the kernel knows beside its bytes; those begin with a link header, or do not."""

    network: bytes
    interface: int = LO
    kind: int = HOST
    protocol: int = IPV4

    def load(self, offset, size):
        """None beyond its end, where the kernel's program ends with 0."""
        if offset >= 0x80000000:
            offset -= 1 << 32
        if NET_OFF <= offset < NET_OFF + 0x10000:
            at = offset - NET_OFF
            data = self.network[at : at + size]
            return int.from_bytes(data, "big") if len(data) == size else None
        return {AD_OFF: self.protocol, AD_OFF + 4: self.kind, AD_OFF + 8: self.interface}[offset]


def accepted(instructions, packet):
    """Bytes that the kernel would keep."""
    a = x = at = 0
    while True:
        one = instructions[at]
        at += 1
        if one.code == 0x06:
            return one.value
        if one.code in (0x20, 0x28, 0x30, 0x48):
            size = {0x20: 4, 0x28: 2, 0x30: 1, 0x48: 2}[one.code]
            a = packet.load(one.value + (x if one.code == 0x48 else 0), size)
            if a is None:
                return 0
        elif one.code == 0xB1:
            byte = packet.load(one.value, 1)
            if byte is None:
                return 0
            x = 4 * (byte & 15)
        else:
            holds = {0x15: a == one.value, 0x45: bool(a & one.value)}[one.code]
            at += one.then if holds else one.otherwise


def ipv6_packet(source_port, target_port, following=6):
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, 1, 1, 0x50, 0x10, 512, 0, 0)
    return struct.pack("!IHBB", 6 << 28, len(tcp), following, 64) + bytes(32) + tcp


@pytest.mark.parametrize("ports", [(8080,), (8080, 40000, 3000, 9)])
@given(source=st.sampled_from([9, 80, 3000, 8080, 40000]), target=st.sampled_from([9, 80, 3000, 8080]))
def test_tcp_of_the_labs_ports_is_kept_whole_and_nothing_else(ports, source, target):
    wanted = source in ports or target in ports
    plain = packet_of(A, B, source, target, 1, 0x10, b"x")
    with_options = packet_of(A, B, source, target, 1, 0x10, b"x", ip_options=b"\1" * 8)
    for packet in (
        Passing(plain),
        Passing(with_options),
        Passing(ipv6_packet(source, target), protocol=IPV6),
    ):
        assert accepted(program(ports, LO), packet) == (0xFFFFFFFF if wanted else 0)


@pytest.mark.parametrize(
    ("interface", "kind", "kept"),
    [
        (LO, HOST, True),
        (LO, OUTGOING, False),
        (WIRE, HOST, True),
        (WIRE, OUTGOING, True),
        (ETH0, OUTGOING, True),
    ],
)
def test_loopback_is_kept_once_and_other_interfaces_both_ways(interface, kind, kept):
    packet = Passing(packet_of(A, A, 8080, 1, 1, 0x10, b""), interface, kind)
    assert bool(accepted(program((8080,), LO), packet)) is kept


def test_other_protocols_fragments_and_stumps_are_dropped():
    packet = packet_of(A, B, 8080, 8080, 1, 0x10, b"x")
    others = [
        Passing(packet[:9] + b"\x11" + packet[10:]),  # UDP
        Passing(packet[:6] + b"\x00\x05" + packet[8:]),  # a later fragment
        Passing(packet, protocol=0x0806),  # ARP
        Passing(ipv6_packet(8080, 8080, following=17), protocol=IPV6),
        *(Passing(packet[:length]) for length in (0, 5, 19, 20, 21)),
    ]
    assert [accepted(program((8080,), LO), each) for each in others] == [0] * len(others)


def test_as_many_ports_as_a_jump_can_pass_over():
    ports = range(1000, 1000 + MOST_PORTS)
    instructions = program(ports, LO)
    assert all(len(each.packed()) == 8 for each in instructions)
    for port in (ports[0], ports[-1]):
        assert accepted(instructions, Passing(packet_of(A, B, port, 1, 1, 0x10, b"")))
    for wrong in ((), range(MOST_PORTS + 1)):
        with pytest.raises(ValueError, match="ports"):
            program(wrong, LO)


# -- watch ------------------------------------------------------------------------------------------

WATCHED = (None, 8080)
HOSTS = (None, A, B, bytes(16), bytes(15) + b"\1")


@pytest.mark.parametrize("port", WATCHED)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("ports", [(8080, 9), (9, 8080), (9, 10)])
def test_a_watch_hears_its_port_and_host(port, host, ports):
    of_port = port is None or port in ports
    for packet, hosts in (
        (Passing(packet_of(A, b"\x0a\0\0\1", *ports, 1, 0x10, b"x")), (A,)),
        (Passing(packet_of(b"\x0a\0\0\1", B, *ports, 1, 0x10, b"x", ip_options=b"\1" * 8)), (B,)),
        (Passing(ipv6_packet(*ports), protocol=IPV6), (bytes(16),)),
    ):
        wanted = of_port and (host is None or host in hosts)
        assert bool(accepted(watching(port, host, LO), packet)) is wanted


def test_a_watch_hears_icmp_and_once_on_loopback():
    packet = packet_of(A, B, 1, 2, 1, 0x10, b"x")
    icmp = Passing(packet[:9] + b"\x01" + packet[10:])
    udp = Passing(packet[:9] + b"\x11" + packet[10:])
    assert accepted(watching(8080, A, LO), icmp)
    assert accepted(watching(8080, None, LO), Passing(ipv6_packet(1, 2, following=58), protocol=IPV6))
    assert not accepted(watching(None, None, LO), udp)
    assert not accepted(watching(None, None, LO), Passing(packet, protocol=0x0806))
    assert not accepted(watching(None, None, LO), Passing(packet, LO, OUTGOING))
    assert accepted(watching(None, None, LO), Passing(packet, ETH0, OUTGOING))

"""The wire's packets: what is read of them, and that turning them round keeps their checksums valid."""

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from econnlab.link.tun.packets import ACK, FIN, SYN, TcpPacket, tcp_segment, turned_round
from tests.support.packets import ones_sum, packet_of, pseudo_header

addresses = st.integers(0, 2**32 - 1).map(lambda number: IPv4Address(number).packed)
ports = st.integers(0, 2**16 - 1)


packets = st.builds(
    packet_of,
    addresses,
    addresses,
    ports,
    ports,
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.sampled_from([b"", b"\1" * 4, b"\1" * 40]),
    st.sampled_from([b"", b"\1" * 12, b"\1" * 40]),
)


@given(packets)
def test_a_packet_turned_round_goes_back_with_valid_checksums(packet):
    back = turned_round(packet)
    header = (packet[0] & 15) * 4
    assert (back[12:16], back[16:20]) == (packet[16:20], packet[12:16])
    assert ones_sum(back[:header]) == 0xFFFF
    assert ones_sum(pseudo_header(back, header) + back[header:]) == 0xFFFF
    assert turned_round(back) == packet


@given(ports, ports, st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=60))
def test_a_segment_is_read_whatever_options_stand_before_it(source, target, sequence, flags, payload):
    here, there = IPv4Address("10.77.0.1").packed, IPv4Address("10.77.0.2").packed
    for ip_options, options in ((b"", b""), (b"\1" * 8, b"\1" * 12)):
        packet = packet_of(here, there, source, target, sequence, flags, payload, ip_options, options)
        assert tcp_segment(packet) == TcpPacket(source, target, sequence, flags, len(payload))


@given(st.binary(max_size=100))
def test_no_bytes_upset_the_reader(data):
    tcp_segment(data)


@given(packets, st.integers(0, 200))
def test_a_packet_cut_off_is_none_of_ours(packet, length):
    if length < len(packet):
        assert tcp_segment(packet[:length]) is None


def test_other_packets_are_none_of_ours():
    syn = packet_of(b"\1" * 4, b"\2" * 4, 1, 2, 3, SYN, b"")
    assert tcp_segment(syn) is not None
    ipv6 = b"\x60" + syn[1:]
    udp = syn[:9] + b"\x11" + syn[10:]
    fragment = syn[:6] + b"\x20\x00" + syn[8:]
    later_fragment = syn[:6] + b"\x00\x05" + syn[8:]
    assert [tcp_segment(each) for each in (ipv6, udp, fragment, later_fragment)] == [None] * 4


def test_flags_are_those_of_the_rfc():
    assert (FIN, SYN, ACK) == (0x01, 0x02, 0x10)

"""From frames to segments, over every link type and what may stand between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.packets.frames import ETHERNET, RAW, SLL, SLL2
from econnlab.packets.layers import ACK, PSH, segment
from tests.support.frames import LINKS, ethernet, ipv4, ipv6, packed, raw, tcp

HERE, THERE = "10.0.0.1", "10.0.0.2"
HERE6, THERE6 = "2001:db8::1", "2001:db8::2"
BODY = b"GET / HTTP/1.1\r\n\r\n"
SEGMENT = tcp(40000, 8080, 1000, 2000, PSH | ACK, BODY, window=512)


def read(link_type, data, length=None):
    return segment(link_type, data, len(data) if length is None else length)


def holds(found, here, there, data):
    assert found is not None
    assert found.source == packed(here) + (40000).to_bytes(2, "big")
    assert found.target == packed(there) + (8080).to_bytes(2, "big")
    assert (found.seq, found.ack, found.flags, found.window) == (1000, 2000, PSH | ACK, 512)
    assert found.size == len(BODY)
    assert data[found.start : found.end] == BODY


@pytest.mark.parametrize("link", LINKS)
def test_every_link_type(link):
    number, wrap = LINKS[link]
    data = wrap(ipv4(HERE, THERE, SEGMENT, ttl=57, identifier=4711))
    found = read(number, data)
    holds(found, HERE, THERE, data)
    assert (found.ttl, found.ident) == (57, 4711)
    data = wrap(ipv6(HERE6, THERE6, SEGMENT, hop_limit=57))
    found = read(number, data)
    holds(found, HERE6, THERE6, data)
    assert (found.ttl, found.ident) == (57, 0)


@pytest.mark.parametrize("tags", [(5,), (5, 6), (5, 6, 7)])
def test_vlan_tags(tags):
    data = ethernet(ipv4(HERE, THERE, SEGMENT), vlan=tags)
    holds(read(ETHERNET, data), HERE, THERE, data)


def test_options_of_ip_and_of_tcp():
    options = b"\2\4\5\xb4" + b"\1\1\x08\x0a" + bytes(8)
    data = ethernet(
        ipv4(HERE, THERE, tcp(40000, 8080, 1000, 2000, PSH | ACK, BODY, 512, options), options=b"\x94\4\0\0")
    )
    holds(read(ETHERNET, data), HERE, THERE, data)


@pytest.mark.parametrize(
    "headers",
    [
        [(0, bytes(6))],
        [(60, bytes(14)), (43, bytes(6))],
        [(44, bytes(6))],
        [(0, bytes(6)), (51, bytes(10)), (60, bytes(6))],
    ],
)
def test_extension_headers(headers):
    data = raw(ipv6(HERE6, THERE6, SEGMENT, extension_headers=headers))
    holds(read(RAW, data), HERE6, THERE6, data)


def test_what_the_card_cuts_up_later_has_no_length():
    data = ethernet(ipv4(HERE, THERE, SEGMENT, total_length=0))
    holds(read(ETHERNET, data), HERE, THERE, data)


def test_padding_is_no_payload():
    empty = tcp(40000, 8080, 1000, 2000, ACK)
    assert read(ETHERNET, ethernet(ipv4(HERE, THERE, empty), padding=6)).size == 0


def test_a_packet_cut_short_keeps_its_size():
    data = ethernet(ipv4(HERE, THERE, SEGMENT))
    found = read(ETHERNET, data[:60], len(data))
    assert found.size == len(BODY)
    assert data[found.start : found.end] == BODY[:6]


@pytest.mark.parametrize(
    "data",
    [
        ethernet(ipv4(HERE, THERE, SEGMENT, protocol=17)),
        ethernet(ipv4(HERE, THERE, SEGMENT, fragment=0x2001)),
        ethernet(ipv6(HERE6, THERE6, SEGMENT, extension_headers=[(44, b"\0\x08" + bytes(4))])),
        ethernet(ipv6(HERE6, THERE6, SEGMENT, protocol=17)),
        ethernet(ipv4(HERE, THERE, SEGMENT))[:50],
        ethernet(ipv4(HERE, THERE, SEGMENT), kind=0x0806),
        b"",
    ],
)
def test_what_is_no_segment(data):
    assert read(ETHERNET, data) is None


@given(st.sampled_from([ETHERNET, RAW, SLL, SLL2, 0, 108, 999]), st.binary(max_size=120), st.integers(0, 300))
def test_no_bytes_are_too_strange(link_type, data, more):
    found = segment(link_type, data, len(data) + more)
    assert found is None or found.start <= len(data)


@given(st.integers(0, 60), st.binary(max_size=4))
def test_no_damage_is_too_strange(at, damage):
    data = ethernet(ipv4(HERE, THERE, SEGMENT))
    damaged = data[:at] + damage + data[at + len(damage) :]
    found = segment(ETHERNET, damaged, len(damaged))
    assert found is None or found.size >= 0

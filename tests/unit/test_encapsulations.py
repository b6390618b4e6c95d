"""TCP inside other headers is read, and what is not read is counted by its kind."""

import struct

import pytest

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets.flows import follow
from econnlab.packets.frames import ETHERNET, PPP, RAW, Frame
from econnlab.packets.layers import ACK, PSH, segment
from tests.support.frames import ethernet, ipv4, ipv6, packed, tcp
from tests.support.talk import Talk, captured

HERE, THERE = "10.0.0.1", "10.0.0.2"
BODY = b"GET / HTTP/1.1\r\n\r\n"
PACKET = ipv4(HERE, THERE, tcp(40000, 8080, 1000, 2000, PSH | ACK, BODY), ttl=57, identifier=4711)
PACKET6 = ipv6("fd00::1", "fd00::2", tcp(40000, 8080, 1000, 2000, PSH | ACK, BODY))
MACS = b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1"


def outer(protocol, payload):
    return ethernet(ipv4("192.0.2.1", "192.0.2.2", payload, protocol=protocol))


def udp(port, payload):
    return outer(17, struct.pack("!HHHH", 50000, port, 8 + len(payload), 0) + payload)


WRAPPED = {
    "MPLS": MACS + b"\x88\x47" + b"\0\x01\0\x40" + b"\0\x02\1\x40" + PACKET,
    "MPLS pseudowire": MACS + b"\x88\x47" + b"\0\x02\1\x40" + bytes(4) + ethernet(PACKET),
    "PPPoE": MACS + b"\x88\x64" + struct.pack("!BBHHH", 0x11, 0, 1, len(PACKET) + 2, 0x21) + PACKET,
    "PPPoE, IPv6, short field": MACS + b"\x88\x64\x11\0\0\1\0\x60\x57" + PACKET6,
    "SNAP": MACS + struct.pack("!H", len(PACKET) + 8) + b"\xaa\xaa\x03\0\0\0\x08\0" + PACKET,
    "SGT": MACS + b"\x89\x09\1\1\0\1\0\2\x08\0" + PACKET,
    "VLAN in VLAN": ethernet(PACKET, vlan=(5, 6)),
    "IP in IP": outer(4, PACKET),
    "IPv6 in IP": outer(41, PACKET6),
    "GRE": outer(47, b"\0\0\x08\0" + PACKET),
    "GRE with key and sequence": outer(47, b"\x30\0\x08\0" + bytes(8) + PACKET),
    "GRE, bridged": outer(47, b"\0\0\x65\x58" + ethernet(PACKET)),
    "ERSPAN I": outer(47, b"\0\0\x88\xbe" + ethernet(PACKET)),
    "ERSPAN II": outer(47, b"\x10\0\x88\xbe" + bytes(4) + bytes(8) + ethernet(PACKET)),
    "ERSPAN III": outer(47, b"\x10\0\x22\xeb" + bytes(4) + bytes(12) + ethernet(PACKET)),
    "ERSPAN III with more": outer(47, b"\x10\0\x22\xeb" + bytes(15) + b"\1" + bytes(8) + ethernet(PACKET)),
    "VXLAN": udp(4789, b"\x08\0\0\0\0\0\7\0" + ethernet(PACKET)),
    "VXLAN of old": udp(8472, b"\x08\0\0\0\0\0\7\0" + ethernet(PACKET, vlan=(3,))),
    "VXLAN-GPE": udp(4790, b"\x0c\0\0\1\0\0\7\0" + PACKET),
    "Geneve": udp(6081, b"\2\0\x65\x58\0\0\7\0" + bytes(8) + ethernet(PACKET)),
    "Geneve, IP": udp(6081, b"\0\0\x08\0\0\0\7\0" + PACKET),
    "GTP-U": udp(2152, b"\x30\xff" + struct.pack("!HI", len(PACKET), 7) + PACKET),
    "GTP-U with extension": udp(2152, b"\x34\xff\0\0\0\0\0\7" + b"\0\0\0\x85" + b"\1\0\0\0" + PACKET),
    "VXLAN in GRE": outer(47, b"\0\0\x65\x58" + udp(4789, b"\x08\0\0\0\0\0\7\0" + ethernet(PACKET))),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPPED)
def test_what_is_inside_is_read(name):
    data = WRAPPED[name]
    found = segment(ETHERNET, data, len(data))
    assert found is not None
    assert data[found.start : found.end] == BODY
    assert (found.seq, found.ack) == (1000, 2000)
    assert found.source[-2:] == (40000).to_bytes(2, "big")


@pytest.mark.parametrize("name", WRAPPED)
def test_no_cut_of_it_is_too_strange(name):
    data = WRAPPED[name]
    for end in range(len(data)):
        found = segment(ETHERNET, data[:end], len(data))
        assert found is None or found.start >= 0
        diagnose(follow([Frame(1, ETHERNET, data[:end], len(data))]))


def test_ppp_as_a_link_type():
    data = b"\xff\x03\0\x21" + PACKET
    assert segment(PPP, data, len(data)) is not None


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ((ETHERNET, MACS + b"\x08\x06" + bytes(28)), "ARP"),
        ((ETHERNET, MACS + b"\x12\x34" + bytes(40)), "EtherType 0x1234"),
        ((ETHERNET, MACS + b"\x88\xe5" + bytes(40)), "MACsec (encrypted)"),
        ((ETHERNET, MACS + b"\x88\x64" + bytes(40)), "PPPoE sessions (RFC 2516) and the PPP in them"),
        ((ETHERNET, MACS + b"\0\x20" + b"\x42\x42\x03" + bytes(40)), "IEEE 802.3 without SNAP"),
        ((ETHERNET, udp(53, bytes(20))), "UDP"),
        ((ETHERNET, outer(50, bytes(40))), "ESP (encrypted)"),
        ((ETHERNET, outer(99, bytes(40))), "IP protocol 99"),
        ((ETHERNET, outer(47, b"\x20\1\x88\x0b" + bytes(40))), "GRE (RFC 2784"),
        ((ETHERNET, ethernet(PACKET)[:40]), "headers cut off by the snapshot length"),
        ((105, bytes(60)), "link type 105"),
        ((RAW, ipv4(HERE, THERE, bytes(40), fragment=0x2000)), "IP fragments"),
    ],
)
def test_what_is_not_read_is_counted_by_its_kind(frame, kind):
    link_type, data = frame
    traffic = follow([Frame(1, link_type, data, len(data))])
    assert sum(traffic.unread.values()) == 1
    assert next(iter(traffic.unread)).startswith(kind.partition(",")[0])


def fragments(packet, sizes, ident=9):
    """An IPv4 packet in pieces."""
    payload, pieces, at = packet[20:], [], 0
    for number, size in enumerate(sizes):
        more = 0x2000 if number < len(sizes) - 1 else 0
        part = payload[at : at + size] if more else payload[at:]
        pieces.append(ipv4(HERE, THERE, part, fragment=more | at // 8, identifier=ident, protocol=6))
        at += size
    return pieces


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 0, 1, 2]])
def test_fragments_are_joined_in_any_order(order):
    talk = Talk().open()
    body = b"POST / HTTP/1.1\r\nContent-Length: 400\r\n\r\n" + b"x" * 400
    whole = ipv4(HERE, THERE, tcp(40000, 8080, 1001, 5001, PSH | ACK, body))
    pieces = fragments(whole, [16, 200, 1000])
    frames = captured(talk)
    at = frames[-1].at_ns
    for place in order:
        at += 1000
        data = ethernet(pieces[place])
        frames.append(Frame(at, ETHERNET, data, len(data)))
    talk._next["client"] += len(body)
    answer = talk.answer(1.0).frames[-1]
    traffic = follow([*frames, answer])
    (conversation,) = traffic.conversations.values()
    assert (conversation.exchanges, conversation.finished, traffic.gaps) == (1, 1, 0)
    assert not traffic.unread or order == [0, 0, 1, 2]


def test_fragments_of_ipv6():
    payload = tcp(40000, 8080, 1000, 2000, PSH | ACK, BODY)
    frames = []
    for offset, more in ((0, 1), (16, 0)):
        part = payload[offset : offset + 16] if more else payload[offset:]
        head = struct.pack("!HI", offset | more, 77)
        data = ethernet(ipv6("fd00::1", "fd00::2", part, extension_headers=[(44, head)]))
        frames.append(Frame(1 + offset, ETHERNET, data, len(data)))
    traffic = follow(frames)
    (conversation,) = traffic.conversations.values()
    assert conversation.client.next == 1000 + len(BODY)
    assert conversation.client.address == packed("fd00::1") + (40000).to_bytes(2, "big")


def test_fragments_that_never_become_whole_are_counted_and_bounded():
    pieces = [
        Frame(n, ETHERNET, ethernet(ipv4(HERE, THERE, bytes(64), fragment=0x2000, identifier=n % 65536)), 98)
        for n in range(1, 3000)
    ]
    traffic = follow(pieces)
    assert traffic.unread == {"IP fragments": 2999}


def icmp(kind, code, quoted, mtu=0):
    return ethernet(
        ipv4("10.9.9.9", HERE, struct.pack("!BBHHH", kind, code, 0, 0, mtu) + quoted[:28], protocol=1)
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "network unreachable"),
        (1, "host unreachable"),
        (3, "port unreachable"),
        (13, "administratively prohibited"),
    ],
)
def test_icmp_says_why_nothing_answered(code, said):
    talk = Talk().send(0, "client", flags=2)
    data = icmp(3, code, talk.frames[0].data[14:])
    traffic = follow([*talk.frames, Frame(talk.frames[0].at_ns + 10**6, ETHERNET, data, len(data))])
    (finding,) = diagnose(traffic).findings
    assert finding.verdict.cause == "unreachable"
    assert said in finding.verdict.evidence and "10.9.9.9" in finding.verdict.evidence


def test_fragmentation_needed():
    talk = Talk().open().ask(0.01, b"POST / HTTP/1.1\r\nContent-Length: 1300\r\n\r\n" + b"x" * 1300)
    big = talk.frames[-1]
    for at in (0.3, 0.9, 2.1):
        talk.send(at, "client", big.data[54:], seq=1001)
    data = icmp(3, 4, big.data[14:], mtu=1280)
    frames = [*talk.rst(9.0, "client").frames, Frame(big.at_ns + 10**6, ETHERNET, data, len(data))]
    (finding,) = diagnose(follow(sorted(frames, key=lambda frame: frame.at_ns))).findings
    assert finding.verdict.cause == "packet_too_big"
    assert "at most 1280 bytes" in finding.verdict.evidence

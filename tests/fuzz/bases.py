"""Sound captures to be damaged: short conversations of each kind, in each format."""

from econnlab.packets.layers import ACK, FIN, PSH, RST, SYN
from tests.support.captures import Interface, Section, frame_of, pcap_bytes, pcapng_bytes
from tests.support.frames import LINKS, ipv4, ipv6, tcp

_BEGIN_NS = 1_700_000_000_000_000_000
_GET = b"GET /orders HTTP/1.1\r\nHost: shop\r\n\r\n"
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nok"
_PART = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nonly"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"

#: Who sends (client or server), flags, payload; an answered request is one step of ms, an idle time five.
_OPEN = [("c", SYN, b""), ("s", SYN | ACK, b""), ("c", ACK, b"")]
_ANSWERED = [("c", PSH | ACK, _GET), ("s", PSH | ACK, _WHOLE), ("c", ACK, b"")]
STORIES = {
    "race": [*_OPEN, *_ANSWERED, ("s", FIN | ACK, b""), ("c", PSH | ACK, _GET), ("s", RST, b"")],
    "refused": [("c", SYN, b""), ("s", RST | ACK, b"")],
    "unread": [*_OPEN, ("c", PSH | ACK, _GET), ("s", RST | ACK, b"")],
    "cut": [
        *_OPEN, ("c", PSH | ACK, _GET), ("s", PSH | ACK, _PART),
        ("s", FIN | ACK, b""), ("c", FIN | ACK, b""),
    ],
    "fine": [
        *_OPEN, *_ANSWERED, ("c", PSH | ACK, _GET), ("s", PSH | ACK, _CHUNKED),
        ("c", FIN | ACK, b""), ("s", FIN | ACK, b""), ("c", ACK, b""),
    ],
    "tls": [
        *_OPEN, ("c", PSH | ACK, b"\x16\3\1\0\5hello"),
        ("s", PSH | ACK, b"\x15\3\3\0\2\2\x28"), ("s", FIN | ACK, b""),
    ],
}  # fmt: skip


def told(story, port=40000, link="ethernet", version=4):
    """The frames of a story."""
    link_type, put = LINKS[link]
    client, server = ("10.0.0.1", "10.0.0.2") if version == 4 else ("fd00::1", "fd00::2")
    ip = ipv4 if version == 4 else ipv6
    next_seq, frames = {"c": 1000, "s": 2**32 - 40}, []
    for number, (who, flags, payload) in enumerate(story):
        other = "s" if who == "c" else "c"
        ack = next_seq[other] if flags & ACK else 0
        ends = (client, server, port, 80) if who == "c" else (server, client, 80, port)
        packet = ip(*ends[:2], tcp(*ends[2:], next_seq[who], ack, flags, payload))
        frames.append(frame_of(put(packet), _BEGIN_NS + number * 1_000_000, link_type))
        next_seq[who] = (next_seq[who] + len(payload) + bool(flags & (SYN | FIN))) % 2**32
    return frames


def _sections():
    """Two of different byte order, with every kind of block."""
    data = b""
    for order, resolution in ((">", 9), ("<", 0x80 | 30)):
        section = Section(order, comment="a section")
        section.interface(Interface(1, 0, resolution, 1_000_000_000 if resolution & 0x80 else None))
        section.interface(Interface(1))
        section.names()
        for number, frame in enumerate(told(STORIES["race"])):
            add = section.old_packet if number % 4 == 3 else section.packet
            add(number % 2, frame._replace(comment=f"frame {number}"), (2, bytes(4)))
        section.simple_packet(told(STORIES["refused"])[0])
        section.statistics()
        data += bytes(section)
    return data


_LINKED = [
    pcap_bytes(told(STORIES["race"], link=link, version=version), link_type=LINKS[link][0])
    for link, version in (("null", 6), ("loop", 4), ("raw", 6), ("sll", 4), ("sll2", 6))
]
BASES = [
    pcap_bytes([frame for port, story in enumerate(STORIES.values(), 40000) for frame in told(story, port)]),
    *(pcap_bytes(told(story), ">", nanoseconds=True) for story in STORIES.values()),
    *(pcapng_bytes(told(story, version=6), others=True) for story in STORIES.values()),
    pcapng_bytes(told(STORIES["race"]), ">"),
    pcap_bytes(told(STORIES["race"]), snaplen=60),
    _sections(),
    *_LINKED,
]

"""Captures read to the same values whatever freedoms of the format a file takes, and what is written too."""

import gzip
import io
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnlab.packets.frames import LONGEST_FRAME
from econnlab.packets.reading import read_capture
from econnlab.packets.writing import PcapngWriter
from tests.support.captures import Interface, Section, frame_of, pcap_bytes, pcapng_bytes

BEGIN_NS = 1_700_000_000_123_456_789
orders = st.sampled_from("<>")
comments = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
frames = st.builds(
    frame_of,
    st.binary(max_size=80),
    st.integers(0, 2**32 * 10**9 - 1),
    st.sampled_from([1, 101, 113]),
    comments,
)
interfaces = st.builds(
    Interface,
    st.sampled_from([0, 1, 101, 113, 276]),
    st.just(0),
    st.sampled_from([None, 0, 3, 6, 9, 12, 19, 0x80, 0x8A, 0x9E]),
    st.sampled_from([None, 0, 1_000_000_000, -1]),
)


def read(data):
    return list(read_capture(io.BytesIO(data)))


@given(
    st.lists(frames, max_size=20), orders, st.booleans(), st.integers(0, 65535), st.sampled_from([0, 2, 4])
)
def test_a_pcap_reads_back(frames, order, nanoseconds, link_type, minor):
    unit = 1 if nanoseconds else 1000
    expected = [
        frame._replace(at_ns=frame.at_ns // unit * unit, link_type=link_type, comment="") for frame in frames
    ]
    assert read(pcap_bytes(frames, order, nanoseconds, link_type, minor=minor)) == expected


def test_a_pcap_whose_packets_have_check_sequences_is_of_the_same_link_type():
    # The upper half: 4 bytes of FCS, present (https://www.tcpdump.org/manpages/pcap-savefile.5.html).
    assert read(pcap_bytes([frame_of(b"data")], link_type=0x24000001)) == [frame_of(b"data")]


def test_a_packet_cut_by_the_snapshot_length_has_its_length_on_the_wire():
    for data in (
        pcap_bytes([frame_of(bytes(100))], snaplen=60),
        pcapng_bytes([frame_of(bytes(60), length=100)]),
    ):
        (frame,) = read(data)
        assert (len(frame.data), frame.length) == (60, 100)


@st.composite
def sections(draw):
    """A pcapng of some sections, and the frames in it."""
    data, expected = b"", []
    for _ in range(draw(st.integers(1, 3))):
        section = Section(draw(orders), draw(comments), draw(st.sampled_from([-1, 0, 1000])))
        for interface in draw(st.lists(interfaces, max_size=3)):
            section.interface(interface)
        for kind in draw(st.lists(st.sampled_from("packet old simple unknown names statistics".split()))):
            expected += drawn(draw, section, kind)
        data += bytes(section)
    return data, expected


def drawn(draw, section, kind):
    """Add a block; the frames that are in it."""
    if kind in ("packet", "old", "simple") and not section.interfaces:
        return []
    if kind == "unknown":
        section.block(draw(st.integers(0x10, 0x0A0D0D09)), bytes(4 * draw(st.integers(0, 10))))
    elif kind == "names":
        section.names()
    elif kind == "statistics":
        section.statistics()
    elif kind == "simple":
        frame = draw(frames)._replace(at_ns=0, comment="", link_type=section.interfaces[0].link_type)
        section.simple_packet(frame)
        return [frame]
    else:
        number = draw(st.integers(0, len(section.interfaces) - 1))
        interface = section.interfaces[number]
        frame = draw(frames)._replace(link_type=interface.link_type)
        ticks = max(0, min(2**64 - 1, interface.ticks(frame.at_ns)))
        frame = frame._replace(at_ns=interface.time_ns(ticks))
        add = section.packet if kind == "packet" else section.old_packet
        add(number, frame, *draw(st.sampled_from([[], [(2, bytes(4))], [(4, bytes(8)), (988, b"\1")]])))
        return [frame._replace(at_ns=interface.time_ns(interface.ticks(frame.at_ns)))]
    return []


@given(sections())
def test_a_pcapng_reads_back(written):
    data, expected = written
    assert read(data) == expected


def test_a_simple_packet_is_as_long_as_the_interface_takes():
    section = Section()
    section.interface(Interface(1, snaplen=6))
    section.block(3, struct.pack("<I", 100) + b"abcdef\0\0")
    assert read(bytes(section)) == [frame_of(b"abcdef", length=100)]


def test_several_comments_are_lines_and_bad_ones_cost_no_packet():
    section = Section()
    section.interface(Interface())
    section.packet(0, frame_of(b"data", comment="one"), (1, "zwei ü".encode()), (1, b"\xff"))
    section.block(6, struct.pack("<5I", 0, 0, 0, 4, 4) + b"data" + struct.pack("<HH", 1, 200) + b"half")
    assert [frame.comment for frame in read(bytes(section))] == ["one\nzwei ü\n\N{REPLACEMENT CHARACTER}", ""]


@given(st.lists(frames, max_size=20), st.sampled_from([pcap_bytes, pcapng_bytes]), st.integers(1, 3))
def test_a_gzipped_file_reads_the_same(frames, write, members):
    data = write(frames)
    cut = len(data) // members + 1
    packed = b"".join(gzip.compress(data[at : at + cut]) for at in range(0, len(data), cut))
    assert read(packed) == read(data)


@given(
    st.lists(frames, max_size=10),
    st.sampled_from([pcap_bytes, pcapng_bytes]),
    st.lists(st.integers(1, 50), min_size=1),
    st.booleans(),
)
def test_a_stream_may_give_less_than_it_is_asked_for(frames, write, sizes, packed):
    data = write(frames)
    stream = Dribble(gzip.compress(data) if packed else data, sizes)
    assert list(read_capture(stream)) == read(data)


class Dribble(io.RawIOBase):
    """Gives as many bytes at a time as it is told."""

    def __init__(self, data, sizes):
        self.data, self.sizes, self.turn = data, sizes, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), self.sizes[self.turn % len(self.sizes)])
        self.turn += 1
        chunk, self.data = self.data[:size], self.data[size:]
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Repeated(io.RawIOBase):
    """``count`` times the same bytes behind a beginning, made as they are read."""

    def __init__(self, begin, piece, count):
        self.pending, self.piece, self.left = begin, piece * 1000, count // 1000

    def readable(self):
        return True

    def readinto(self, buffer):
        while self.left and len(self.pending) < len(buffer):
            self.pending += self.piece
            self.left -= 1
        chunk, self.pending = self.pending[: len(buffer)], self.pending[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def whole_and_one(write):
    """A file without packets, and what one packet adds to it."""
    empty = write([frame_of(bytes(600), comment="x")])
    twice = write([frame_of(bytes(600), comment="x")] * 2)
    return empty, twice[len(empty) :]


@pytest.mark.parametrize("write", [pcap_bytes, pcapng_bytes])
def test_memory_does_not_grow_with_the_file(write):
    begin, packet = whole_and_one(write)
    count = 12_000_000 // len(packet) // 1000 * 1000
    stream = Repeated(begin, packet, count)
    tracemalloc.start()
    try:
        total = sum(1 for _ in read_capture(stream))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == count + 1
    assert peak < 4_000_000


def test_a_block_that_is_passed_over_is_not_held():
    section = Section()
    stream = Repeated(bytes(section) + struct.pack("<II", 0xBAD, 50_000_012), bytes(50), 1_000_000)
    tracemalloc.start()
    try:
        reader = read_capture(stream)
        assert (list(reader), reader.cut_at) == ([], 50_000_008 + len(bytes(section)))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


texts = st.one_of(comments, st.text(st.characters(), max_size=10), st.just("ü" * 70_000))


@given(st.lists(st.tuples(frames, texts), max_size=10), texts, st.sampled_from([0, 1, 40, 65535]))
@settings(max_examples=50)
def test_what_is_written_reads_back(packets, comment, snaplen):
    stream = io.BytesIO()
    writer = PcapngWriter(stream, comment=comment, snaplen=snaplen)
    numbers = {link_type: writer.interface(f"eth{link_type}", link_type) for link_type in (1, 101, 113)}
    for frame, text in packets:
        writer.packet(numbers[frame.link_type], frame.at_ns, frame.data, frame.length + 7, text)
    for (frame, text), back in zip(packets, read(stream.getvalue()), strict=True):
        kept = frame.data[: snaplen or LONGEST_FRAME]
        sound = text.encode(errors="replace").decode()
        assert back[:4] == (frame.at_ns, frame.link_type, kept, frame.length + 7)
        assert back.comment == sound[: len(back.comment)]
        assert len(back.comment) == len(sound) or 60_000 < len(back.comment.encode()) < 65_536

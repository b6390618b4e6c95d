"""Captures that are cut, damaged, or none: what came before the cut, or one line that says where."""

import gzip
import io
import lzma
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.packets import pcap, pcapng
from econnlab.packets.frames import LONGEST_FRAME, MalformedCapture
from econnlab.packets.reading import read_capture
from tests.support.captures import Interface, Section, frame_of, pcap_bytes, pcapng_bytes

FRAMES = [
    frame_of(bytes([number]) * (10 + number), number * 1000, comment="c" * number) for number in range(9)
]
FILES = {
    "pcap": pcap_bytes(FRAMES),
    "pcap, big endian": pcap_bytes(FRAMES, ">"),
    "pcapng": pcapng_bytes(FRAMES, others=True),
    "pcapng, big endian": pcapng_bytes(FRAMES, ">", others=True),
    "pcapng, two sections": pcapng_bytes(FRAMES[:4], ">") + pcapng_bytes(FRAMES[4:], "<"),
}
WHOLE = {name: list(read_capture(io.BytesIO(data))) for name, data in FILES.items()}


def ends_of(data):
    """Where its blocks or records end, and how many packets there are until then."""
    order, pcap = "<>"[data[:1] == b"\xa1" or data[8:9] == b"\x1a"], data[:1] != b"\x0a"
    ends, packets = ({24: 0}, 0) if pcap else ({0: 0}, 0)
    while (at := max(ends)) < len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<>"[data[at + 8 : at + 9] == b"\x1a"]
        kind, length, captured = struct.unpack_from(f"{order}III", data, at)
        packets += pcap or kind == 6
        ends[at + (16 + captured if pcap else length)] = packets
    return ends


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_cut_file_gives_the_packets_before_the_cut(name, draws):
    data = FILES[name]
    ends = ends_of(data)
    cut = draws.draw(st.integers(4 if data[:1] == b"\x0a" else 24, len(data)))
    reader = read_capture(io.BytesIO(data[:cut]))
    assert list(reader) == WHOLE[name][: max(packets for end, packets in ends.items() if end <= cut)]
    # Cut between two packets or blocks it is a shorter file.
    assert reader.cut_at == (None if cut in ends else cut)


def test_a_file_that_ends_in_a_packet_says_so():
    for data in FILES.values():
        reader = read_capture(io.BytesIO(data[:-1]))
        list(reader)
        assert reader.cut_at == len(data) - 1


@pytest.mark.parametrize("name", FILES)
def test_a_cut_gzip_gives_the_packets_before_the_cut(name):
    packed = gzip.compress(FILES[name])
    for cut in range(40, len(packed)):
        reader = frames = None
        try:
            reader = read_capture(io.BytesIO(packed[:cut]))
            frames = list(reader)
        except MalformedCapture as error:
            assert_one_line(error)
            assert reader is None, "once it has begun, a cut file is no damaged one"
        else:
            assert frames == WHOLE[name][: len(frames)]
            assert reader.cut_at is not None
    assert len(frames) == len(FRAMES), "of the last cut only the checksum is missing"


def assert_one_line(error):
    message = str(error)
    assert "\n" not in message
    assert "ffset " in message
    assert any(character.isdigit() for character in message)


def failure(data):
    with pytest.raises(MalformedCapture) as caught:
        list(read_capture(io.BytesIO(data)))
    assert_one_line(caught.value)
    return str(caught.value)


def zipped(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("capture.pcap", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file is empty"),
        (b"GET / HTTP/1.1\r\n", "offset 0 holds 47 45 54 20"),
        (b"\x1b[31m\n", "offset 0 holds 1b 5b 33 31"),
        (FILES["pcap"][:10], "ends in its pcap header, at offset 10"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd -dc FILE"),
        (lzma.compress(FILES["pcap"]), "xz -dc FILE"),
        (b"BZh91AY&SY", "bzip2 -dc FILE"),
        (b"\x04\x22\x4d\x18" + bytes(20), "lz4 -dc FILE"),
        (zipped(FILES["pcap"]), "unzip -p FILE"),
        (b"snoop\0\0\0" + bytes(20), "editcap"),
        (b"\x1f\x8b" + bytes(20), "gzip stream is damaged at offset 0"),
        (b"\x1f\x8b", "gzip stream is damaged at offset 0"),
        (gzip.compress(b""), "The file is empty"),
        (b"\xd4\xc3\xb2\xa1" + struct.pack("<HH", 3, 0) + bytes(16), "version 3.0 at offset 4"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_capture_is_named(data, says):
    assert says in failure(data)


def block(kind, length, body, last=None):
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length if last is None else last)


BEGIN = pcapng_bytes([frame_of(b"")])[:-32]


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (pcap_bytes([]) + struct.pack("<4I", 1, 2, LONGEST_FRAME + 1, 60) + bytes(400_000), 32),
        (pcap_bytes([frame_of(b"abcd")]) + struct.pack("<4I", 1, 2, 0xFFFFFFFF, 60), 52),
        (struct.pack("<III", 0x0A0D0D0A, 28, 0x12345678) + bytes(16), 8),
        (struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 9, 0, -1, 28), 12),
        (BEGIN + bytes(20), len(BEGIN) + 4),
        (BEGIN + block(6, 33, bytes(21)), len(BEGIN) + 4),
        (BEGIN + block(6, 16, bytes(4)), len(BEGIN) + 4),
        (BEGIN + block(6, 0x80000000, bytes(100)), len(BEGIN) + 4),
        (BEGIN + block(6, 32, bytes(20), 36), len(BEGIN) + 28),
        (BEGIN + block(0xBAD, 32, bytes(20), 36), len(BEGIN) + 28),
        (BEGIN + block(6, 32, struct.pack("<5I", 7, 0, 0, 0, 0)), len(BEGIN) + 8),
        (BEGIN + block(6, 32, struct.pack("<5I", 0, 0, 0, 1, 1)), len(BEGIN) + 20),
        (
            BEGIN + block(6, 300_032, struct.pack("<5I", 0, 0, 0, 300_000, 1) + bytes(300_000)),
            len(BEGIN) + 20,
        ),
        (BEGIN + block(3, 16, struct.pack("<I", 5)), len(BEGIN) + 8),
        (BEGIN[:28] + block(3, 16, bytes(4)), 28),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_damage_is_named_with_its_offset(data, offset):
    assert f"ffset {offset}:" in failure(data) or f"ffset {offset} " in failure(data)


def test_interfaces_without_end_are_damage_rather_than_memory(monkeypatch):
    monkeypatch.setattr(pcapng, "_MOST_INTERFACES", 100)
    section = Section()
    for _ in range(100):
        section.interface(Interface())
    assert list(read_capture(io.BytesIO(bytes(section)))) == []
    section.interface(Interface())
    assert "more than 100 interfaces" in failure(bytes(section))


def test_packets_before_the_damage_are_given_first():
    for data in (FILES["pcap"] + b"\xff" * 100, FILES["pcapng"] + bytes(100)):
        reader = iter(read_capture(io.BytesIO(data)))
        assert len([next(reader) for _ in FRAMES]) == len(FRAMES)
        with pytest.raises(MalformedCapture):
            next(reader)


def test_zeros_that_gzip_has_packed_are_not_read_to_their_end():
    """2 GB of empty records are 2 MB of gzip."""
    zeros = gzip.compress(pcap_bytes([]) + bytes(16 * (pcap.MOST_EMPTY + 10)))
    with pytest.raises(MalformedCapture, match="more than 100000 packets of 0 bytes"):
        for _ in read_capture(io.BytesIO(zeros)):
            pass

"""Wireshark and dpkt read the same captures to the same packets, and what is written without a complaint."""

import gzip
import io
import json
import subprocess
from decimal import Decimal

import dpkt
import pytest

from econnlab.packets.reading import read_capture
from econnlab.packets.writing import PcapngWriter
from tests.support.captures import Interface, Section, frame_of, pcap_bytes, pcapng_bytes
from tests.support.frames import LINKS, ethernet, ipv4, ipv6, raw, sll2, tcp

AT_NS = 1_700_000_000_123_456_789
SEGMENT = tcp(40000, 80, 1, 1, 0x18, b"GET / HTTP/1.1\r\n\r\n")
PACKETS = [ipv4("10.0.0.1", "10.0.0.2", SEGMENT), ipv6("fd00::1", "fd00::2", SEGMENT)]
FRAMES = [frame_of(ethernet(PACKETS[n % 2]), AT_NS + n * 999_999_999) for n in range(20)]
#: Wireshark's numbers for link types (wiretap/wtap.h).
ENCAPSULATIONS = {1: 1, 0: 15, 108: 174, 101: 7, 113: 25, 276: 210}


def tshark_frames(tshark, path):
    """Time in ns, encapsulation, bytes, length and comment of each frame; and what was said on stderr."""
    words = [
        tshark,
        "-n",
        "-r",
        str(path),
        "-T",
        "json",
        "-x",
        "--no-duplicate-keys",
        "-j",
        "frame pkt_comment",
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    frames = []
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        frame, comment = layers["frame"], layers.get("pkt_comment", {}).get("frame.comment", "")
        if "frame.encap_type" not in frame:  # a custom block, which Wireshark lists among the packets
            continue
        frames.append(
            (
                int(Decimal(frame.get("frame.time_epoch", "0")) * 10**9),
                int(frame["frame.encap_type"]),
                bytes.fromhex(layers["frame_raw"][0]),
                int(frame["frame.len"]),
                comment if isinstance(comment, str) else "\n".join(comment),
            )
        )
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Running as user")]
    return frames, complaints


def our_frames(data):
    return [
        (frame.at_ns, ENCAPSULATIONS[frame.link_type], *frame[2:]) for frame in read_capture(io.BytesIO(data))
    ]


def everything(order):
    """A section with each kind of block."""
    section = Section(order, comment="a section")
    first = section.interface(Interface(1, 65535, 9))
    # Finer than 2**-34 s or 10**-10 s Wireshark 4.0 overflows (pcapng_read_packet_block() in wiretap/pcapng.c
    # multiplies the ticks below a second by 10**9 in 64 bits): those are left to the unit tests.
    fine = section.interface(Interface(1, 0, 0x80 | 30, 1_000_000_000))
    coarse = section.interface(Interface(276, 0, 3))
    micro = section.interface(Interface(101))
    section.names()
    for number, frame in enumerate(FRAMES):
        section.packet(first, frame._replace(comment=f"Grüße {number} 🐢"))
        section.packet(fine, frame, (2, bytes(4)), (1, b"second"))
        section.old_packet(first, frame._replace(comment="old"))
        section.packet(coarse, frame._replace(data=sll2(PACKETS[0]), length=2000))
        section.block(0x0BAD, b"\0\0\x7e\xd9custom data.")
        section.packet(micro, frame._replace(data=raw(PACKETS[1]), length=len(PACKETS[1])))
    section.simple_packet(FRAMES[0])
    section.statistics(fine)
    return bytes(section)


FILES = {
    "microseconds": pcap_bytes(FRAMES),
    "big endian": pcap_bytes(FRAMES, ">"),
    "nanoseconds": pcap_bytes(FRAMES, "<", nanoseconds=True),
    "big nanoseconds": pcap_bytes(FRAMES, ">", nanoseconds=True),
    "cut packets": pcap_bytes(FRAMES, snaplen=60),
    "gzipped": gzip.compress(pcap_bytes(FRAMES), 1, mtime=0),
    "check sequences": pcap_bytes(
        [FRAMES[0]._replace(data=ethernet(PACKETS[0]) + b"crc!")], link_type=0x24000001
    ),
    "pcapng": everything("<"),
    "big endian pcapng": everything(">"),
    "two sections": everything(">") + everything("<"),
    "gzipped pcapng": gzip.compress(everything("<"), 9, mtime=0),
} | {
    f"link type {name}": pcap_bytes([frame_of(put(packet)) for packet in PACKETS], link_type=number)
    for name, (number, put) in LINKS.items()
}


@pytest.mark.parametrize("name", FILES)
def test_wireshark_reads_the_same(tshark, tmp_path, name):
    path = tmp_path / "capture"
    path.write_bytes(FILES[name])
    frames, complaints = tshark_frames(tshark, path)
    ours = our_frames(FILES[name])
    assert ours == frames
    assert len(ours) and not complaints


@pytest.mark.parametrize("cut", [1, 71])
@pytest.mark.parametrize("name", ["microseconds", "big endian pcapng"])
def test_wireshark_finds_as_much_in_a_cut_file(tshark, tmp_path, name, cut):
    data = FILES[name][:-cut]
    path = tmp_path / "capture"
    path.write_bytes(data)
    frames, complaints = tshark_frames(tshark, path)
    assert our_frames(data) == frames
    reader = read_capture(io.BytesIO(data))
    list(reader)
    assert (reader.cut_at is not None) == any("cut short" in line for line in complaints)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_dpkt_reads_the_same_pcap(order, nanoseconds):
    data = pcap_bytes(FRAMES, order, nanoseconds)
    reader = dpkt.pcap.Reader(io.BytesIO(data))
    unit = 1 if nanoseconds else 1000
    theirs = [(round(Decimal(at) * 10**9 / unit) * unit, kept) for at, kept in reader]
    ours = list(read_capture(io.BytesIO(data)))
    assert [(frame.at_ns, frame.data) for frame in ours] == theirs
    assert {frame.link_type for frame in ours} == {reader.datalink()}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("interface", [Interface(), Interface(1, 0, 6, 1_000_000_000), Interface(1, 0, 3)])
def test_dpkt_reads_the_same_pcapng(order, interface):
    data = pcapng_bytes(FRAMES, order, [interface])
    reader = dpkt.pcapng.Reader(io.BytesIO(data))
    theirs = [(round(at * 10**6), kept) for at, kept in reader]  # a float: no more than microseconds
    ours = list(read_capture(io.BytesIO(data)))
    assert [(frame.at_ns // 1000, frame.data) for frame in ours] == theirs
    assert {frame.link_type for frame in ours} == {reader.datalink()}


def test_what_dpkt_writes_is_read():
    for module in (dpkt.pcap, dpkt.pcapng):
        stream = io.BytesIO()
        writer = module.Writer(stream)
        for frame in FRAMES:
            writer.writepkt(frame.data, ts=frame.at_ns // 1000 / 10**6)
        frames = list(read_capture(io.BytesIO(stream.getvalue())))
        assert [frame.data for frame in frames] == [frame.data for frame in FRAMES]
        for frame, sent in zip(frames, FRAMES, strict=True):
            assert abs(frame.at_ns - sent.at_ns) < 2000


@pytest.mark.parametrize("snaplen", [0, 60])
def test_wireshark_reads_what_is_written(tshark, tmp_path, snaplen):
    path = tmp_path / "written.pcapng"
    with path.open("wb") as stream:
        writer = PcapngWriter(stream, comment="econnlab's own 🐢", snaplen=snaplen)
        numbers = {number: writer.interface(name, number) for name, (number, _) in LINKS.items()}
        for name, (number, put) in LINKS.items():
            for packet in PACKETS:
                data = put(packet)
                writer.packet(numbers[number], AT_NS, data, len(data), f"{name}: Grüße")
        long = "ü" * 40_000
        writer.packet(0, AT_NS, ethernet(PACKETS[0]), 5000, long)
        writer.packet(0, AT_NS, ethernet(PACKETS[0]), 72)
    frames, complaints = tshark_frames(tshark, path)
    assert not complaints
    assert len(frames) == len(LINKS) * len(PACKETS) + 2
    assert frames == our_frames(path.read_bytes())
    assert frames[-2][3:] == (5000, "ü" * 32_500)


def test_wireshark_finds_the_checksums_of_our_frames_right(tshark, tmp_path):
    """So that tests stand on frames that are what they seem."""
    path = tmp_path / "frames.pcap"
    headers = ((0, b""), (60, bytes(14)), (44, bytes(6)), (51, bytes(14)))
    packets = [
        *PACKETS,
        ipv4("10.0.0.1", "10.0.0.2", SEGMENT, options=b"\1" * 5),
        ipv6("fd00::1", "fd00::2", SEGMENT, extension_headers=headers),
    ]
    path.write_bytes(pcap_bytes([frame_of(ethernet(packet, vlan=(7, 8))) for packet in packets]))
    fields = ["frame.protocols", "tcp.checksum.status", "tcp.payload", "_ws.malformed"]
    words = [tshark, "-n", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-T", "fields"]
    words += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        protocols, status, payload = line.split("\t")[:3]
        assert protocols.startswith("eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip")
        assert (status, bytes.fromhex(payload)) == ("1", b"GET / HTTP/1.1\r\n\r\n")
        assert not line.split("\t")[3:] or not line.split("\t")[3]
    assert len(done.stdout.splitlines()) == len(packets)

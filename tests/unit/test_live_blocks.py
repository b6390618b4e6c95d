"""Blocks as the kernel hands them over, and the history that is made of them."""

import struct

from econnlab.packets.frames import ETHERNET, RAW
from econnlab.packets.live.blocks import frames_in
from econnlab.packets.live.history import History
from tests.support.talk import Talk, captured

_LOOPBACK, _NONE = 772, 0xFFFE
_BEGINS = 82
_ADDRESS = bytes([10, 0, 0, 1])


def block(frames, hardware=_LOOPBACK, link=14):
    """As packet_mmap.rst has it: the block's header, and behind it packets with headers of their own."""
    body = b""
    for number, frame in enumerate(frames):
        size = -(-(_BEGINS + len(frame.data)) // 8) * 8
        step = size if number < len(frames) - 1 else 0
        seconds, ns = divmod(frame.at_ns, 1_000_000_000)
        head = struct.pack(
            "=IIIIIIHH20x", step, seconds, ns, len(frame.data), frame.length, 1, _BEGINS, _BEGINS + link
        )
        sender = struct.pack("=HHiHBB8x", 17, 8, 1, hardware, 0, 6)
        body += (head + sender).ljust(_BEGINS, b"\0") + frame.data.ljust(size - _BEGINS, b"\0")
    return struct.pack("=IIIIII24x", 1, 0, 1, len(frames), 48, 48 + len(body)) + body


def test_packets_come_out_as_they_went_in():
    frames = captured(Talk().open().talk(0.01))
    assert frames_in(block(frames)) == frames
    assert all(frame.link_type == ETHERNET for frame in frames_in(block(frames)))


def test_without_a_link_header_a_packet_begins_with_ip():
    frames = captured(Talk().open())
    (first, *_) = frames_in(block(frames, hardware=_NONE))
    assert first.link_type == RAW
    assert first.data == frames[0].data[14:]
    assert first.length == frames[0].length - 14


def test_packets_of_two_processors_come_in_order_of_time():
    frames = captured(Talk().open().talk(0.01))
    assert frames_in(block([frames[1], frames[0], *frames[2:]])) == frames


def test_the_history_finds_a_connection_among_others():
    one, other = Talk(port=40000).open().talk(0.01), Talk(port=40001).open().talk(0.012)
    history = History(1 << 20)
    for at in range(0, 12, 4):
        history.add(block(captured(one, other)[at : at + 4]))
    ends = _ADDRESS + struct.pack("!H", 40000), bytes([10, 0, 0, 2]) + struct.pack("!H", 8080)
    assert history.frames([ends]) == captured(one)[: len(history.frames([ends]))]
    assert len(history.frames([ends])) >= 5


def test_the_history_keeps_the_last_blocks_and_no_more_bytes_than_it_may():
    blocks = [block(captured(Talk(port=40000 + number).open())) for number in range(100)]
    history = History(10 * len(blocks[0]))
    for each in blocks:
        history.add(each)
    assert history.bytes <= 10 * len(blocks[0])
    server = bytes([10, 0, 0, 2]) + struct.pack("!H", 8080)
    assert not history.frames([(_ADDRESS + struct.pack("!H", 40000), server)])
    assert len(history.frames([(_ADDRESS + struct.pack("!H", 40099), server)])) == 3

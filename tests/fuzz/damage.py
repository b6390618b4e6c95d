"""What can happen to a capture file: a strategy of damaged ones."""

import gzip
import struct

from hypothesis import strategies as st

from tests.fuzz.bases import BASES

_EXTREMES = [
    0, 1, 3, 4, 8, 11, 12, 16, 28, 31, 32, 0x7FFF, 0xFFFF, 0x10000, 262_144, 262_145, 0x7FFFFFFC, 0x7FFFFFFF,
    0x80000000, 0xFFFFFFFC, 0xFFFFFFFF,
]  # fmt: skip
#: A position as a share of the file, so that one is always within it. Mixed up: Hypothesis likes small
#: numbers, and a file whose first bytes are wrong is no capture at all, whatever else is wrong with it.
_shares = st.integers(0, 2**16 - 1).map(lambda number: number * 40_503 + 30_011 & 0xFFFF)
_orders = st.sampled_from("<>")


def _at(data, share):
    return len(data) * share >> 16


def flip(data, share, bit):
    """One bit of it."""
    at = _at(data, share)
    return data[:at] + bytes(byte ^ 1 << bit for byte in data[at : at + 1]) + data[at + 1 :]


def insert(data, share, more):
    """Some bytes more."""
    at = _at(data, share)
    return data[:at] + more + data[at:]


def delete(data, share, count):
    """Some bytes less."""
    at = _at(data, share)
    return data[:at] + data[at + count :]


def truncate(data, share):
    """Only its beginning."""
    return data[: _at(data, share)]


def overwrite(data, share, value, order, size):
    """A number anywhere, set to an extreme."""
    at = _at(data, share)
    return data[:at] + _number(value, order, size) + data[at + size :]


def set_field(data, share, word, value, order):
    """A field of one block's or record's head, set to an extreme."""
    pieces = pieces_of(data)
    at = _at(pieces, share)
    for index, piece in enumerate(pieces[at : at + 1], at):
        pieces[index] = piece[: word * 4] + _number(value, order, 4) + piece[word * 4 + 4 :]
    return b"".join(pieces)


def resize(data, share, words):
    """A block of another length that both its lengths agree on, so that what is within is looked at."""
    pieces = pieces_of(data)
    at = _at(pieces, share)
    for index, piece in enumerate(pieces[at : at + 1], at):
        body = (piece[8:-4] + bytes(400))[: max(0, len(piece) - 12 + words * 4)]
        order = "<" if len(piece) % 2**16 == int.from_bytes(piece[4:6], "little") else ">"
        length = _number(len(body) + 12, order, 4)
        pieces[index] = piece[:4] + length + body + length
    return b"".join(pieces)


def duplicate(data, share, times):
    """A block or record several times."""
    pieces = pieces_of(data)
    at = _at(pieces, share)
    return b"".join(pieces[:at] + pieces[at : at + 1] * times + pieces[at + 1 :])


def swap(data, one, other):
    """Two blocks or records in each other's place."""
    pieces = pieces_of(data)
    if pieces:
        one, other = _at(pieces, one), _at(pieces, other)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return b"".join(pieces)


def _number(value, order, size):
    return (value & (1 << size * 8) - 1).to_bytes(size, "little" if order == "<" else "big")


def pieces_of(data):
    """The header and records, or blocks, as far as they can be told; the rest is one piece."""
    is_pcap = data[:4] != b"\x0a\x0d\x0d\x0a"
    order = ">" if data[:2] == b"\xa1\xb2" else "<"
    pieces, at = ([data[:24]], 24) if is_pcap else ([], 0)
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = ">" if data[at + 8] == 0x1A else "<"
        length = struct.unpack_from(f"{order}I", data, at + 8 if is_pcap else at + 4)[0] + 16 * is_pcap
        if length < 12 or at + length > len(data):
            break
        pieces.append(data[at : at + length])
        at += length
    return [piece for piece in (*pieces, data[at:]) if piece]


def _step(mutate, *arguments):
    return st.tuples(st.just(mutate), *arguments)


_extremes = st.sampled_from(_EXTREMES)
_of_bytes = st.one_of(
    _step(flip, _shares, st.integers(0, 7)),
    _step(insert, _shares, st.binary(min_size=1, max_size=40)),
    _step(delete, _shares, st.integers(1, 60)),
    _step(truncate, _shares),
    _step(overwrite, _shares, _extremes, _orders, st.sampled_from([1, 2, 4, 8])),
)
_of_blocks = st.one_of(
    _step(set_field, _shares, st.integers(0, 7), _extremes, _orders),
    _step(resize, _shares, st.integers(-20, 100)),
    _step(duplicate, _shares, st.integers(0, 40)),
    _step(swap, _shares, _shares),
)


@st.composite
def damaged_captures(draw):
    """A sound capture, or two in a row, after some accidents; sometimes gzipped before the last of them."""
    data = draw(st.sampled_from(BASES))
    if draw(st.integers(0, 9)) == 0:
        data += draw(st.sampled_from(BASES))
    for mutate, *arguments in draw(st.lists(_of_bytes | _of_blocks, min_size=1, max_size=5)):
        data = mutate(data, *arguments)
    if draw(st.integers(0, 4)) == 0:
        data = gzip.compress(data, draw(st.sampled_from([0, 1, 9])), mtime=0)
        for mutate, *arguments in draw(st.lists(_of_bytes, max_size=3)):
            data = mutate(data, *arguments)
    return data

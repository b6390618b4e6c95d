"""The lines of a log of any size, plain or gzip, in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BufferedReader, BytesIO

from econnlab.errors import UsageProblem

Stream = BufferedReader | BytesIO

_BLOCK = 1 << 18
#: Of a longer line the rest is dropped.
LONGEST_LINE = 1 << 16
_GZIP = b"\x1f\x8b"
_GZIP_WBITS = 31


def batches(stream: Stream) -> Iterator[list[str]]:
    """The lines of ``stream``, some thousand at a time.

    Raises UsageProblem if gzip data are damaged, after the lines before the damage.
    """
    pending = b""
    dropping = False
    for data in _plain(stream):
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            yield _decoded(head if dropping else pending + head, drop_first=dropping)
            pending, dropping = tail, False
        elif not dropping:
            pending += tail
        if len(pending) > LONGEST_LINE and not dropping:
            yield _decoded(pending[:LONGEST_LINE], drop_first=False)
            pending, dropping = b"", True
    if pending:
        yield _decoded(pending, drop_first=False)


def _decoded(data: bytes, *, drop_first: bool) -> list[str]:
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return lines[1:] if drop_first else lines


def _plain(stream: Stream) -> Iterator[bytes]:
    first = stream.read1(_BLOCK)
    if first.startswith(_GZIP):
        yield from _unpacked(first, stream)
        return
    while first:
        yield first
        first = stream.read1(_BLOCK)


def _unpacked(data: bytes, stream: Stream) -> Iterator[bytes]:
    """Each member of a gzip file. Output is taken in blocks, so that a small file cannot fill the memory."""
    unpacker = zlib.decompressobj(_GZIP_WBITS)
    while data:
        try:
            plain = unpacker.decompress(data, _BLOCK)
        except zlib.error as error:
            raise _damaged("is damaged") from error
        if plain:
            yield plain
        if unpacker.eof:
            data = unpacker.unused_data.lstrip(b"\0") or stream.read1(_BLOCK).lstrip(b"\0")
            unpacker = zlib.decompressobj(_GZIP_WBITS) if data else unpacker
        else:
            data = unpacker.unconsumed_tail or stream.read1(_BLOCK)
    if not unpacker.eof:
        raise _damaged("ends in the middle")


def _damaged(how: str) -> UsageProblem:
    return UsageProblem(f"The gzip data {how}; what stands before that was read.", "Copy the file again.")

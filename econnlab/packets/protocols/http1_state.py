"""Where both directions of an HTTP/1 connection are."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from econnlab.packets.conversation import Conversation, Exchange
from econnlab.packets.protocols.framing import Chunks

METHODS = frozenset(
    b"GET POST PUT HEAD DELETE OPTIONS PATCH CONNECT TRACE PROPFIND PROPPATCH REPORT MKCOL MOVE COPY LOCK "
    b"UNLOCK SEARCH PURGE QUERY".split()
)
STATUS_LINE = b"HTTP/1."


class Step(IntEnum):
    """Where in a message a direction is."""

    START = 0
    HEAD = 1
    BODY = 2
    CHUNKS = 3
    UNTIL_CLOSE = 4
    #: Bytes were missed: nothing is known until a line that begins a message.
    LOST = 5


START, HEAD, BODY, CHUNKS, UNTIL_CLOSE, LOST = Step


class Http1:
    """Where both directions of a connection are."""

    __slots__ = (
        "answer_chunks", "answer_left", "answer_step", "asked", "asked_chunks", "asked_left", "asked_step",
        "switch",
    )  # fmt: skip

    def __init__(self, switch: Callable[[Conversation, Exchange], None]) -> None:
        #: Chooses the reader of what follows 101 or the answer to CONNECT.
        self.switch = switch
        self.asked_step = self.answer_step = START
        self.asked_left = self.answer_left = 0
        self.asked_chunks: Chunks | None = None
        self.answer_chunks: Chunks | None = None
        #: The request that is being sent.
        self.asked: Exchange | None = None

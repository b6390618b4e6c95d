"""One request of a connection and its answer: bytes to a request, an answer to bytes."""

from __future__ import annotations

import hashlib
from enum import Enum, auto
from typing import Any

import h11

from econnlab.scenario.server import ServerSpec
from econnlab.server.responses import Reply, is_keyed, request_id_of, response_bytes


class Step(Enum):
    """How far the bytes that came have brought a request."""

    INCOMPLETE = auto()  # more must come
    HEAD = auto()
    BODY = auto()  # a part of it
    WHOLE = auto()


class ServedRequest:
    """A request in progress. An idle connection has none, and so stays small: thousands are held at once."""

    __slots__ = ("_connection", "_digest", "began", "body", "request")

    def __init__(self, began: float, connection: h11.Connection | None = None) -> None:
        self._connection = connection or h11.Connection(h11.SERVER)
        self._digest: hashlib.blake2b | None = None
        #: When its first bytes were read.
        self.began = began
        #: Bytes of the body that have come so far.
        self.body = 0
        #: Its head, once that has been read.
        self.request: h11.Request | None = None

    # -- the request ----------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take in what was read; bytes behind the request's end wait for the next one."""
        self._connection.receive_data(data)

    def step(self) -> Step:
        """Read on. Raises h11.RemoteProtocolError for what is not HTTP."""
        event = self._connection.next_event()
        if isinstance(event, h11.Request):
            self.request = event
            return Step.HEAD
        if isinstance(event, h11.Data):
            self._take(event.data)
            return Step.BODY
        return Step.WHOLE if isinstance(event, h11.EndOfMessage) else Step.INCOMPLETE

    def _take(self, data: bytes) -> None:
        self.body += len(data)
        if self._digest is None:
            self._digest = hashlib.blake2b(digest_size=8)
        self._digest.update(data)

    @property
    def head(self) -> h11.Request:
        """The request's head, which has been read."""
        assert self.request is not None
        return self.request

    @property
    def ahead(self) -> int:
        """Bytes behind its end: the client pipelines."""
        return len(self._connection.trailing_data[0])

    @property
    def request_id(self) -> str | None:
        """What its client calls it."""
        return request_id_of(self.head)

    @property
    def announced_size(self) -> int:
        """Content-Length; 0 without one."""
        return next((int(value) for name, value in self.head.headers if name == b"content-length"), 0)

    @property
    def framed_twice(self) -> bool:
        """It has Content-Length and Transfer-Encoding: an attempt at smuggling (RFC 9112 section 6.1)."""
        return {b"content-length", b"transfer-encoding"} <= {name for name, _ in self.head.headers}

    def described(self) -> dict[str, Any]:
        """What the ledger enters of it."""
        return {
            "began": self.began,
            "request_id": self.request_id,
            "method": self.head.method.decode("ascii"),
            "target": self.head.target.decode("latin-1"),
            "bytes": self.body,
            "digest": self._digest.hexdigest() if self._digest is not None else None,
            "keyed": True if is_keyed(self.head) else None,
        }

    # -- the answer -----------------------------------------------------------------------------

    def go_on(self) -> bytes:
        """``100 Continue``, if the client waits for it."""
        if not self._connection.they_are_waiting_for_100_continue:
            return b""
        interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
        return self._connection.send(interim) or b""

    def answer(self, spec: ServerSpec, answer: Reply, *, last: bool) -> tuple[bytes, bytes]:
        """Head and body of ``answer``; ``last`` says ``Connection: close``."""
        return response_bytes(self._connection, self.head, spec, answer, last=last)

    @property
    def must_close(self) -> bool:
        """Answered, and by what client and server have said no other request may follow."""
        return self._connection.our_state is not h11.DONE

    def following(self, began: float) -> ServedRequest:
        """The next request, of the bytes that are ``ahead``."""
        self._connection.start_next_cycle()
        return ServedRequest(began, self._connection)

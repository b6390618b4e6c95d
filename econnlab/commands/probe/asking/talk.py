"""One connection of a probe, step by step: each step is a generator that yields what it waits for."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

import h11

from econnlab.commands.probe.asking.arrivals import Arrivals
from econnlab.commands.probe.asking.layers import Layer, layer_for
from econnlab.commands.probe.asking.loop import Wait, Woken
from econnlab.commands.probe.asking.target import Target
from econnlab.commands.probe.seen import Closing, Framing, Head
from econnlab.record.attempts import Outcome
from econnlab.system.clock import now
from econnlab.system.sockets import errno_name

#: Headers longer than this never end.
LONGEST_HEAD = 64 * 1024
_CHUNK = 65536
_KEPT = 200
_STATUS_DIGITS = 3
_BY_ERRNO = {
    errno.ECONNRESET: Outcome.RESET,
    errno.EPIPE: Outcome.BROKEN_PIPE,
    errno.EPROTOTYPE: Outcome.BROKEN_PIPE,  # macOS, writing during teardown (libuv PR #482)
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ETIMEDOUT: Outcome.TIMEOUT,
}


class Stage(StrEnum):
    """How far a connection had come."""

    CONNECT = "connect"
    TLS = "tls"
    HEAD = "head"
    BODY = "body"


class Failed(Exception):
    """A step did not come to its end."""

    def __init__(
        self,
        outcome: Outcome,
        stage: Stage,
        *,
        errno: str | None = None,
        detail: str = "",
        got: bytes = b"",
        untrusted: bool = False,
    ) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.stage = stage
        self.errno = errno
        #: What OpenSSL, h11 or the system said.
        self.detail = detail
        #: The first bytes that came, of TLS's handshake or of HTTP.
        self.got = got
        #: It was the certificate.
        self.untrusted = untrusted


@dataclass(frozen=True)
class Answer:
    """A whole response."""

    head: Head
    #: When its request was written, its first and its last byte were read, on the monotonic clock.
    asked: float
    first: float
    ended: float
    #: By how much earlier it may have ended.
    slack: float


Steps = Generator[Wait, Woken, None]


class Talk:
    """A connection to ``target``; every step of it takes at most ``timeout_s``."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._sock = target.socket()
        self._arrivals = Arrivals(self._sock)
        self._http = _conversation()
        self._stage = Stage.CONNECT
        self._sealed = b""
        self._early = b""
        self._got = b""
        self._asked = 0.0
        self._ended = False
        self.layer: Layer = layer_for(target)
        self.connect_s = 0.0

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    def open(self) -> Steps:
        """Connect, and shake hands. Raises Failed."""
        began = now()
        until = began + self._timeout_s
        number = self._sock.connect_ex(self._target.sockaddr)
        if number == errno.EINPROGRESS:
            woken = yield Wait(self._sock, write=True, until=until)
            if not woken.ready:
                raise self._failed(Outcome.TIMEOUT)
            self.connect_s = max(0.0, woken.at - began)
            number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        else:
            self.connect_s = now() - began
        if number:
            if number == errno.ECONNRESET:  # an RST for a SYN reads ECONNREFUSED: it had been accepted
                self._stage = Stage.HEAD
            raise self._broken(OSError(number, os.strerror(number)))
        self._stage = Stage.TLS
        self._write(self.layer.greet())
        while not self.layer.established:
            woken = yield Wait(self._sock, until=until)
            data, _ = self._read(woken)
            if not data:
                raise self._failed(Outcome.CLOSED)
            self._got = self._got or data[:_KEPT]
            self._early += self._unsealed(data)
        self._got = b""
        self._stage = Stage.HEAD

    def prepare(self) -> None:
        """Make the next request ready, so that ``write`` has little to do."""
        if self._http.our_state is h11.MUST_CLOSE:  # HTTP/1.0 that is kept all the same: h11 knows of none
            self._http = _conversation()
        elif self._http.our_state is not h11.IDLE:
            self._http.start_next_cycle()
        plain = self._http.send(self._target.request()) or b""
        self._sealed = self.layer.seal(plain + (self._http.send(h11.EndOfMessage()) or b""))
        self._stage = Stage.HEAD

    def write(self) -> None:
        """Write the request that was made ready. Raises Failed."""
        self._asked = now()
        self._write(self._sealed)

    def readable(self) -> bool:
        """What a client sees that looks before it writes: bytes, or the end (urllib3's wait_for_read)."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def answer(self) -> Generator[Wait, Woken, Answer]:
        """Read the response to its end. Raises Failed."""
        until = self._asked + self._timeout_s
        response: h11.Response | None = None
        interim: list[int] = []
        first, size = 0.0, 0
        woken = Woken(True, now())
        if self._early:
            first = woken.at
            self._take(self._early)
            self._early = b""
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                woken = yield Wait(self._sock, until=until)
                data, woken = self._read(woken)
                plain = self._unsealed(data) if data else b""
                first = first or (woken.at if plain else 0.0)
                if plain:
                    self._got = (self._got + plain)[:_KEPT]
                    self._take(plain)
                if not data or self.layer.closed:
                    if not first:
                        raise self._failed(Outcome.CLOSED)
                    self._ended = True
                    self._take(b"")
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                response, self._stage = event, Stage.BODY
            elif isinstance(event, h11.Data):
                size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert response is not None
                head = _head(response, size, interim, self._target.method, self._http)
                return Answer(head, self._asked, first, woken.at, woken.slack)
            elif isinstance(event, h11.ConnectionClosed):
                raise self._failed(Outcome.CLOSED)

    def idle(
        self, since: float, until: float, *, exact: bool = False, news: bool = False
    ) -> Generator[Wait, Woken, Closing | None]:
        """Wait for the server's end of the connection; None where the moment, or news, comes before it."""
        seen: Woken | None = None
        said = ""
        while True:
            woken = yield Wait(self._sock, until=until, exact=exact, news=news)
            if not woken.ready:
                return None if seen is None else Closing(seen.at - since, "", seen.slack, said)
            try:
                data, woken = self._arrivals.read(_CHUNK, woken)
            except BlockingIOError:
                continue
            except OSError:
                at = seen or woken
                return Closing(at.at - since, "RST", at.slack, said)
            if not data:
                at = seen or woken
                return Closing(at.at - since, "FIN", at.slack, said)
            plain = self._unsealed(data)
            if plain or self.layer.closed:
                seen = seen or woken
                self._early = (self._early + plain)[:LONGEST_HEAD]
                said = said or (_status_said(self._early) if plain else "close_notify")

    # -- beneath HTTP -----------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            if self._sock.send(data) < len(data):
                raise self._failed(Outcome.TIMEOUT)
        except OSError as error:
            raise self._broken(error) from error

    def _read(self, woken: Woken) -> tuple[bytes, Woken]:
        """What has come, and when; empty at the end. Raises Failed."""
        if not woken.ready:
            raise self._failed(Outcome.TIMEOUT)
        try:
            return self._arrivals.read(_CHUNK, woken)
        except OSError as error:
            raise self._broken(error) from error

    def _unsealed(self, data: bytes) -> bytes:
        try:
            plain, answer = self.layer.unseal(data)
        except ssl.SSLError as error:
            untrusted = isinstance(error, ssl.SSLCertVerificationError)
            raise self._failed(Outcome.OTHER, _openssl(error), untrusted=untrusted) from error
        self._write(answer)
        return plain

    def _take(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
        except RuntimeError as error:  # after its end: of TLS, but not of TCP
            raise self._failed(Outcome.CLOSED) from error

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            outcome = Outcome.TRUNCATED if self._ended else Outcome.OTHER
            raise self._failed(outcome, detail=str(error)) from error

    def _failed(self, outcome: Outcome, detail: str = "", *, untrusted: bool = False) -> Failed:
        return Failed(outcome, self._stage, detail=detail, got=self._got, untrusted=untrusted)

    def _broken(self, error: OSError) -> Failed:
        outcome = _BY_ERRNO.get(error.errno or 0, Outcome.OTHER)
        name = errno_name(error.errno) if error.errno is not None else None
        return Failed(outcome, self._stage, errno=name, detail=error.strerror or "", got=self._got)


def _conversation() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)


def _head(
    response: h11.Response, size: int, interim: list[int], method: str, connection: h11.Connection
) -> Head:
    values: dict[bytes, list[bytes]] = {}
    for name, value in response.headers:
        values.setdefault(name, []).append(value)

    def text(name: bytes) -> str | None:
        found = values.get(name)
        return b", ".join(found).decode("latin-1") if found else None

    framing = _framing(response, values, method)
    done = connection.their_state is h11.DONE and connection.our_state is h11.DONE
    return Head(
        response.http_version.decode(),
        response.status_code,
        text(b"keep-alive"),
        text(b"connection"),
        text(b"server"),
        text(b"location"),
        framing,
        size,
        tuple(interim),
        (done or _kept_as_of_old(response, values)) and framing is not Framing.UNTIL_CLOSE,
    )


def _kept_as_of_old(response: h11.Response, values: dict[bytes, list[bytes]]) -> bool:
    """HTTP/1.0, and ``Connection: keep-alive``: it persists (RFC 9112 section 9.3), and Python, Node and curl
    reuse it."""
    options = b",".join(values.get(b"connection", [])).lower().split(b",")
    return response.http_version == b"1.0" and b"keep-alive" in {option.strip() for option in options}


def _framing(response: h11.Response, values: dict[bytes, list[bytes]], method: str) -> Framing:
    if method == "HEAD" or response.status_code in (204, 304):
        return Framing.NO_BODY
    if b"transfer-encoding" in values:
        return Framing.CHUNKED
    return Framing.LENGTH if b"content-length" in values else Framing.UNTIL_CLOSE


def _status_said(early: bytes) -> str:
    """The status of a response that nobody asked for, as 408 (RFC 9110 section 15.5.9)."""
    words = early.split(b"\r\n", 1)[0].split()
    spoken = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return words[1][:_STATUS_DIGITS].decode() if spoken else "bytes"


def _openssl(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or str(error)

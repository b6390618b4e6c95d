"""One connection of a probe, step by step."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl

import h11

from econnlab.commands.probe.asking.arrivals import Arrivals
from econnlab.commands.probe.asking.heads import head_of, status_said
from econnlab.commands.probe.asking.layers import Layer, layer_for
from econnlab.commands.probe.asking.loop import Wait, Woken
from econnlab.commands.probe.asking.steps import Phase, ProbeExchange, Step, StepFailed, Why
from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.commands.probe.seen import Closing
from econnlab.record.attempts import BY_ERRNO, Outcome
from econnlab.system.clock import now
from econnlab.system.sockets import errno_name

#: A longer header is taken to have no end.
LONGEST_HEAD = 64 * 1024
_CHUNK = 65536
_KEPT = 200
#: Line breaks between responses may be ignored (RFC 9112 sections 2.2 and 9.2).
_BREAKS = b"\r\n"


class Talk:
    """A connection to ``target``; each step of it takes at most ``timeout_s``."""

    def __init__(self, target: ProbeTarget, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._sock = target.socket()
        self._arrivals = Arrivals(self._sock)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._phase = Phase.CONNECT
        self._sealed = b""
        #: Bytes of HTTP that came before they were asked for.
        self._early = b""
        self._got = b""
        self._asked = 0.0
        self._ended = False
        #: A line break came behind a response.
        self.stray = False
        self.layer: Layer = layer_for(target)
        self.connect_s = 0.0

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def open(self) -> Step[None]:
        """Connect, and do the TLS handshake. Raises StepFailed."""
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
            if number == errno.ECONNRESET:  # an RST for a SYN gives ECONNREFUSED, so it had been accepted
                self._phase = Phase.HEAD
            raise self._broken(OSError(number, os.strerror(number)))
        self._phase = Phase.TLS
        self._write(self.layer.greet())
        while not self.layer.established:
            woken = yield Wait(self._sock, until=until)
            data, _ = self._read(woken)
            if not data:
                raise self._failed(Outcome.CLOSED)
            self._got = self._got or data[:_KEPT]
            self._early += self._unsealed(data)
        self._got = b""
        self._phase = Phase.HEAD

    def listen(self, for_s: float) -> Step[None]:
        """Raises StepFailed if the server sends anything before it is asked, within ``for_s``."""
        until = now() + for_s
        while not self._early:
            woken = yield Wait(self._sock, until=until)
            if not woken.ready:
                return
            data, _ = self._read(woken)
            if not data:
                raise self._failed(Outcome.CLOSED)
            self._early = self._without_breaks(self._unsealed(data))
        self._got = self._early[:_KEPT]
        raise self._failed(Outcome.OTHER, why=Why.UNASKED)

    def prepare(self) -> None:
        """Make the next request ready, so that ``write`` has little to do."""
        if self._http.our_state is not h11.IDLE:
            self._early = self._without_breaks(self._http.trailing_data[0]) + self._early
            self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        plain = self._http.send(self._target.request()) or b""
        self._sealed = self.layer.seal(plain + (self._http.send(h11.EndOfMessage()) or b""))
        self._got, self._phase = b"", Phase.HEAD

    def write(self) -> None:
        """Write the request that was made ready. Raises StepFailed."""
        self._asked = now()
        self._write(self._sealed)

    def readable(self) -> bool:
        """What a client finds that checks before it writes: bytes, or the end (urllib3's wait_for_read)."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def answer(self) -> Step[ProbeExchange]:
        """Read the response to its end, and drop its body. Raises StepFailed."""
        until = self._asked + self._timeout_s
        response: h11.Response | None = None
        interim: list[int] = []
        first, size = 0.0, 0
        woken = Woken(True, now())
        if self._early:
            first = self._asked
            self._take(self._early)
            self._got, self._early = self._early[:_KEPT], b""
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                woken = yield Wait(self._sock, until=until)
                woken = self._receive(woken)
                first = first or (woken.at if self._got else 0.0)
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                response, self._phase = event, Phase.BODY
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > self._target.longest_body:
                    raise self._failed(Outcome.OTHER, why=Why.TOO_LONG)
            elif isinstance(event, h11.EndOfMessage):
                assert response is not None
                head = head_of(response, size, interim, self._target.method, self._http)
                return ProbeExchange(head, self._asked, first, woken.at, woken.slack)
            elif isinstance(event, h11.ConnectionClosed):
                raise self._failed(Outcome.CLOSED)

    def idle(
        self, since: float, until: float, *, exact: bool = False, news: bool = False
    ) -> Step[Closing | None]:
        """Wait for the server's end of the connection; None if the moment, or news, comes first."""
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
            plain = self._without_breaks(self._unsealed(data))
            if not plain and not self.layer.closed:
                continue
            seen = seen or woken
            self._early = (self._early + plain)[:LONGEST_HEAD]
            said = said or (status_said(self._early) if plain else "close_notify")

    # -- beneath HTTP -----------------------------------------------------------------------------

    def _without_breaks(self, plain: bytes) -> bytes:
        """What came between two responses, without the line breaks before it."""
        rest = plain.lstrip(_BREAKS)
        self.stray = self.stray or len(rest) < len(plain)
        return rest

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            if self._sock.send(data) < len(data):
                raise self._failed(Outcome.TIMEOUT)
        except OSError as error:
            raise self._broken(error) from error

    def _read(self, woken: Woken) -> tuple[bytes, Woken]:
        """What has come, and when; empty at the end. Raises StepFailed."""
        if not woken.ready:
            raise self._failed(Outcome.TIMEOUT)
        try:
            return self._arrivals.read(_CHUNK, woken)
        except OSError as error:
            raise self._broken(error) from error

    def _receive(self, woken: Woken) -> Woken:
        """Hand what has come to h11; returns when it came. Raises StepFailed."""
        data, woken = self._read(woken)
        plain = self._unsealed(data) if data else b""
        if not self._got:
            plain = self._without_breaks(plain)
        if plain:
            self._got = (self._got + plain)[:_KEPT]
            self._take(plain)
        if not data or self.layer.closed:
            if not self._got:
                raise self._failed(Outcome.CLOSED)
            self._ended = True
            self._take(b"")
        return woken

    def _unsealed(self, data: bytes) -> bytes:
        try:
            plain, answer = self.layer.unseal(data)
        except ssl.SSLError as error:
            why = Why.UNTRUSTED if isinstance(error, ssl.SSLCertVerificationError) else None
            raise self._failed(Outcome.OTHER, _openssl(error), why) from error
        self._write(answer)
        return plain

    def _take(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
        except RuntimeError as error:  # after the end of TLS, but not of TCP
            raise self._failed(Outcome.CLOSED) from error

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            outcome = Outcome.TRUNCATED if self._ended else Outcome.OTHER
            raise self._failed(outcome, str(error)) from error

    def _failed(self, outcome: Outcome, detail: str = "", why: Why | None = None) -> StepFailed:
        return StepFailed(outcome, self._phase, detail=detail, got=self._got, why=why)

    def _broken(self, error: OSError) -> StepFailed:
        outcome = BY_ERRNO.get(error.errno or 0, Outcome.OTHER)
        name = errno_name(error.errno) if error.errno is not None else None
        return StepFailed(outcome, self._phase, errno=name, detail=error.strerror or "", got=self._got)


def _openssl(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or str(error)

"""The HTTP interface of a link that stands alone: a port of its own on 127.0.0.1, for scripts and tests."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
from types import TracebackType
from typing import Any

import h11

from econnlab.commands.link.api_requests import MOST_BODY, Asked, Refusal, answered
from econnlab.commands.link.lone_link import LoneLink
from econnlab.lab.listeners import bind
from econnlab.scenario.places import LOOPBACK
from econnlab.system.clock import now

#: A request is whole within this, and its answer read.
PATIENCE_S = 2.0


class LinkApi:
    """A context manager: inside it requests are answered, one after another."""

    def __init__(self, link: LoneLink, port: int) -> None:
        self._link = link
        self._listener = bind(LOOPBACK, port, "--api")
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}/"

    def __enter__(self) -> LinkApi:
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._wake, self._wake_from = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="econnlab-api", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wake_from.close()
        self._thread.join()
        self._wake.close()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            # poll, not select: with many open files its descriptors can be beyond what select takes.
            poll = select.poll()
            poll.register(self._listener, select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            if self._wake.fileno() in (fd for fd, _ in poll.poll()):
                return
            try:
                sock, _ = self._listener.accept()
            except OSError:
                continue
            with sock, contextlib.suppress(OSError, h11.LocalProtocolError):
                self._answer(sock)

    def _answer(self, sock: socket.socket) -> None:
        connection = h11.Connection(h11.SERVER)
        deadline = now() + PATIENCE_S
        try:
            status, document = answered(self._read(sock, connection, deadline), self._link, self.port)
        except Refusal as refusal:
            status, document = refusal.status, {"error": str(refusal)}
        except h11.RemoteProtocolError as error:
            status, document = error.error_status_hint, {"error": f"That is not HTTP: {error}."}
        self._write(sock, connection, deadline, status, document)

    def _read(self, sock: socket.socket, connection: h11.Connection, deadline: float) -> Asked:
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if now() > deadline:
                    raise TimeoutError
                sock.settimeout(max(0.001, deadline - now()))
                connection.receive_data(sock.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MOST_BODY:
                    raise Refusal(413, f"A body has at most {MOST_BODY} bytes.")
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return Asked(
                    request.method.decode("ascii"),
                    request.target.decode("ascii", "replace"),
                    {key.decode("latin-1"): value.decode("latin-1") for key, value in request.headers},
                    body,
                )
            else:
                raise ConnectionAbortedError  # it went away in the middle

    def _write(
        self, sock: socket.socket, connection: h11.Connection, deadline: float, status: int, document: Any
    ) -> None:
        body = json.dumps(document, indent=2).encode() + b"\n"
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ]
        sock.settimeout(max(0.1, deadline - now()))
        head = connection.send(h11.Response(status_code=status, headers=headers))
        sock.sendall((head or b"") + body)
        # What of a refused body is still unread would turn close(2) into an RST, and lose the answer.
        sock.shutdown(socket.SHUT_WR)
        while now() < deadline and sock.recv(65536):
            sock.settimeout(max(0.001, deadline - now()))

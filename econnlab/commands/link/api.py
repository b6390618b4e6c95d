"""The HTTP interface of a link: a port of its own on 127.0.0.1, for scripts and tests."""

from __future__ import annotations

import json
import re
import socket
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from econnlab.commands.link.api_requests import MOST_BODY, ApiRequest, Controlled, Rejected, answered
from econnlab.lab.listeners import bind
from econnlab.scenario.places import LOOPBACK

#: A client may be silent for this many seconds.
PATIENCE_S = 2.0
#: This much of a body that is too long is read, so that close(2) sends no RST before the answer is read.
_DRAINED = 1 << 20
_TICK_S = 0.1
_LENGTH = re.compile("[0-9]{1,15}")


class LinkApi:
    """A context manager: inside it requests are answered, each connection in a thread."""

    def __init__(self, link: Controlled, port: int) -> None:
        self._server = _ApiServer((LOOPBACK, port), partial(_ApiHandler, link), bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = bind(LOOPBACK, port, "--api")
        self.url = f"http://{LOOPBACK}:{self._server.socket.getsockname()[1]}/"

    def __enter__(self) -> LinkApi:
        self._server.server_activate()
        threading.Thread(target=self._server.serve_forever, args=[_TICK_S], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _ApiServer(ThreadingHTTPServer):
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is not worth a word."""


class _ApiHandler(BaseHTTPRequestHandler):
    protocol_version = default_request_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def __init__(self, link: Controlled, *connection: Any) -> None:
        self._link = link
        super().__init__(*connection)

    def _answer(self) -> None:
        try:
            self._send(*answered(self._read(), self._link, self.connection.getsockname()[1]))
        except Rejected as rejected:
            self._send(rejected.status, {"error": str(rejected)})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _read(self) -> ApiRequest:
        length = self.headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length) or "transfer-encoding" in self.headers:
            raise Rejected(411, "Give the length of the body in Content-Length.")
        body = self.rfile.read(min(int(length), _DRAINED))
        if len(body) > MOST_BODY:
            raise Rejected(413, f"A body has at most {MOST_BODY} bytes.")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return ApiRequest(self.command, self.path, headers, body)

    def _send(self, status: int, document: Any) -> None:
        body = json.dumps(document, indent=2).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.connection.shutdown(socket.SHUT_WR)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._send(code, {"error": f"That is not HTTP: {message}."})

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

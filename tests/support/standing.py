"""``econnlab link`` as a process, and what one says to it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import requests

from tests.conftest import DEADLINE_S, Cli, wait_until
from tests.support.raw import Raw


class Standing:
    """A link that stands in front of ``upstream``; its lines are read as they come."""

    def __init__(self, cli: Cli, upstream: tuple[str, int] | str, *options: str, **settings: Any) -> None:
        to = upstream if isinstance(upstream, str) else "{}:{}".format(*upstream)
        self.process: subprocess.Popen[str] = cli.start(
            "link", "--listen", "0", "--to", to, *options, **{"stdin": subprocess.PIPE, **settings}
        )
        self.lines: list[str] = []
        self.complaints: list[str] = []
        self._since = 0, 0
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.complaints))
        ]
        for reader in self._readers:
            reader.start()
        self.address = ("127.0.0.1", int(self.wait_for(r"listening on 127\.0\.0\.1:(\d+)")[1]))
        self.wait_for("Ctrl-C ends")
        #: The URL of its HTTP interface, where it has one.
        self.api = self.wait_for(r"accepts commands at (\S+)")[1] if "--api" in options else ""

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def forget_lines(self) -> None:
        """Those that have come up to now are not looked at any more."""
        self._since = len(self.lines), len(self.complaints)

    def seen(self, pattern: str) -> re.Match[str] | None:
        """The first match among the lines of both streams."""
        lines = self.lines[self._since[0] :] + self.complaints[self._since[1] :]
        found = (re.search(pattern, line) for line in lines)
        return next((match for match in found if match), None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until a line matches."""

        def look() -> re.Match[str] | None:
            match = self.seen(pattern)
            assert match or self.process.poll() is None or not self._readers[0].is_alive(), self.complaints
            return match

        return wait_until(look, f"a line with {pattern!r}")

    def say(self, line: str, answer: str = "from now on") -> str:
        """Say ``line`` on its stdin, and wait for a new line that has ``answer`` in it."""
        known = len(self.lines), len(self.complaints)
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

        def answered() -> str | None:
            new = self.lines[known[0] :] + self.complaints[known[1] :]
            return next((each for each in new if answer in each), None)

        return wait_until(answered, f"{answer!r} after {line!r}")

    def connect(self) -> Raw:
        """A client of it."""
        return Raw(self.address)

    def close_stdin(self) -> None:
        """Nothing more will be said."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None  # else communicate() would flush it

    def status(self) -> Any:
        """How it stands."""
        return requests.get(self.api, timeout=DEADLINE_S).json()

    def post(self, path: str, document: Any, **headers: str) -> requests.Response:
        """Say something over HTTP."""
        sent = {"Content-Type": "application/json", **headers}
        return requests.post(self.api + path, data=json.dumps(document), headers=sent, timeout=DEADLINE_S)

    def end(self, signal_number: int) -> int:
        """Send a signal, wait for the end and for the last lines: the exit code."""
        self.process.send_signal(signal_number)
        code = self.process.wait(DEADLINE_S)
        for reader in self._readers:
            reader.join(DEADLINE_S)
        return code


def read_all(sock: socket.socket) -> bytes:
    """All that comes before the FIN."""
    data = bytearray()
    while chunk := sock.recv(1 << 18):
        data += chunk
    return bytes(data)


def echo(connection: socket.socket) -> None:
    """Send back what comes, to the end."""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(1 << 18):
            connection.sendall(data)


@contextlib.contextmanager
def echo_server() -> Iterator[tuple[str, int]]:
    """Its address."""

    def serve(connection: socket.socket) -> None:
        with connection:
            echo(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)

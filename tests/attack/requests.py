"""Requests that are not HTTP, and many connections at once, to the server and the link's API."""

from __future__ import annotations

import contextlib
import json
import random
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic as now

from tests.attack.found import Found, has_trace

PATIENCE_S = 10.0
GOOD = b"GET /a?b=c HTTP/1.1\r\nHost: lab\r\nX-Request-Id: one\r\nContent-Length: 3\r\n\r\nabc"
PIECES = (
    b"\r\n", b"\n", b"\0", b" ", b":", b"-1", b"*", b"\xff" * 40, b"A" * 20_000, b"\x16\x03\x01",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 9" * 9, b"Expect: 100-continue\r\n",
    b"POST / HTTP/1.1\r\n", b"HTTP/9.9",
)  # fmt: skip


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """``econnlab serve`` with a ledger. It ends with the context."""
    ledger = folder / "ledger.jsonl"
    errors = (folder / "errors").open("w+")
    command = [sys.executable, "-m", "econnlab", "serve", "--port", "0", "--jsonl", str(ledger)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+)/", process.stdout.readline())
        assert found is not None
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield process, int(found[1]), ledger
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(6 * PATIENCE_S)
            drain.wait(PATIENCE_S)
            errors.close()


def malformed(folder: Path, count: int, deadline: float) -> Iterator[Found]:
    """``count`` requests that damage has made wrong, each on a connection of its own."""
    chance = random.Random(17)
    made = answered = 0
    with serving(folder) as (process, port, ledger):
        while made < count and now() < deadline and process.poll() is None:
            made += 1
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock,
            ):
                sock.sendall(_damaged(chance))
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
        alive = process.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
            sock.sendall(GOOD)
            answered = sock.recv(65536).startswith(b"HTTP/1.1 200")
    said = (folder / "errors").read_text()
    accepted = sum(json.loads(line)["kind"] == "accepted" for line in ledger.read_text().splitlines())
    lost = max(0, made - accepted)
    wrong = [] if alive and answered else ["the server no longer answers"]
    yield Found(made, has_trace(said) + len(wrong), lost_rows=lost, examples=(*wrong, *said.splitlines()[:3]))


def _damaged(chance: random.Random) -> bytes:
    data = bytearray(GOOD)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(3):
            case 0:
                data[at:at] = chance.choice(PIECES)
            case 1:
                del data[at : at + chance.randint(1, 12)]
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def connected(folder: Path, count: int, deadline: float) -> Iterator[Found]:
    """``count`` connections that stand at one time, each asking once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(count, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 200)), hard))
    socks: list[socket.socket] = []
    answers = 0
    with serving(folder) as (_, port, ledger), contextlib.ExitStack() as stack:
        while len(socks) < count and now() < deadline:
            socks.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S)))
        for sock in socks:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        for sock in socks:
            with contextlib.suppress(OSError):
                answers += sock.recv(65536).startswith(b"HTTP/1.1 200")
    said = (folder / "errors").read_text()
    rows = sum(json.loads(line)["kind"] == "response" for line in ledger.read_text().splitlines())
    lost = max(0, len(socks) - min(answers, rows))
    yield Found(len(socks), int(has_trace(said)), lost_rows=lost, examples=tuple(said.splitlines()[:3]))

"""What a link that stands alone adds, carries and holds, and HAProxy in TCP mode beside it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from econnlab.attribution.statistics import quantile
from econnlab.commands.link.lone_link import LoneLink
from econnlab.errors import EnvironmentProblem
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.listeners import bind
from econnlab.peers.peer import PeerProcess
from econnlab.peers.store import find_program
from econnlab.scenario.places import LOOPBACK, Place
from econnlab.scenario.treatment import Treatment
from tests.benchmarks.bench_server import resident_kib
from tests.benchmarks.echoing import echoing
from tests.benchmarks.figures import Figure

ROUND_TRIPS, TURNS = 400, 10
MEGABYTES = 1000
HELD = 5000
_HAPROXY = """
global
    maxconn 6000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:{port}
    server bench 127.0.0.1:{upstream}
"""


def measure() -> Iterator[Figure]:
    """The link with no delay asked, then HAProxy where it is installed."""
    raise_descriptors(2 * HELD)
    with echoing() as upstream:
        with _linking(upstream) as linking:
            port = linking.place.port
            yield from latency("the link", upstream, port, at_most=0.3)
            yield from throughput("the link", upstream, port, at_least=200)
            yield from holding("the link", port, linking.child.pid)
        try:
            with _haproxy(upstream) as port:
                yield from latency("HAProxy", upstream, port)
                yield from throughput("HAProxy", upstream, port)
                yield from holding("HAProxy", port)
        except EnvironmentProblem as problem:
            yield Figure(f"no HAProxy to compare with (make peers): {problem.message}", 0)


def latency(name: str, upstream: int, port: int, at_most: float | None = None) -> Iterator[Figure]:
    """Round trips of 64 bytes, in turns with ones without it, so that both meet the same load."""
    direct, through = [], []
    with _connected(upstream) as straight, _connected(port) as relayed:
        for _ in range(TURNS):
            direct += _round_trips(straight)
            through += _round_trips(relayed)
    direct.sort()
    through.sort()
    for level, asked in ((0.5, at_most), (0.99, None)):
        added = (quantile(through, level) - quantile(direct, level)) * 1000
        what = "median" if level == 0.5 else "p99"
        yield Figure(f"{name}: added to a round trip, {what}", added, " ms", at_most=asked)


def throughput(name: str, upstream: int, port: int, at_least: float | None = None) -> Iterator[Figure]:
    """One connection that sends; the other end counts what came."""
    through, direct = (max(_rate(where) for _ in range(3)) for where in (port, upstream))
    yield Figure(f"{name}: carried in one connection, best of 3", through, " MB/s", at_least=at_least)
    yield Figure(f"{name}: of what loopback carries without it", through / direct)


def holding(name: str, port: int, pid: int | None = None) -> Iterator[Figure]:
    """Connections open at once, each of which still answers."""
    before = resident_kib(pid) if pid else 0
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        held = [stack.enter_context(_connected(port)) for _ in range(HELD)]
        took = time.monotonic() - began
        grown = resident_kib(pid) - before if pid else 0
        for sock in held:
            sock.sendall(b"e")
        answering = sum(sock.recv(10) == b"e" for sock in held)
        trips = sorted(_round_trips(held[HELD // 2]))
    asked = HELD if pid else None
    yield Figure(f"{name}: connections held that answer", answering, at_least=asked)
    yield Figure(f"{name}: connections made, a second", HELD / took)
    yield Figure(f"{name}: a round trip beside them, median", quantile(trips, 0.5) * 1000, " ms")
    if pid:
        yield Figure(f"{name}: resident memory per connection", grown / HELD, " KiB")


def _connected(port: int) -> socket.socket:
    """A connection that is echoed, and through to the far end."""
    sock = socket.create_connection((LOOPBACK, port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(b"e")
    sock.recv(10)
    return sock


def _round_trips(sock: socket.socket) -> list[float]:
    taken = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        sock.sendall(b"e" * 64)
        sock.recv(100)
        taken.append(time.perf_counter() - began)
    return taken


def _rate(port: int) -> float:
    data = b"s" * 1_000_000
    with socket.create_connection((LOOPBACK, port), timeout=60) as sock:
        began = time.monotonic()
        for _ in range(MEGABYTES):
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        came = int(sock.recv(100))
        took = time.monotonic() - began
    if came != MEGABYTES * len(data):
        raise AssertionError(f"{came} bytes came of {MEGABYTES * len(data)}")
    return MEGABYTES / took


@contextlib.contextmanager
def _linking(upstream: int) -> Iterator[LoneLink]:
    """A link whose events are read, as the command reads them."""
    with LoneLink(Treatment(), Place(LOOPBACK, 0), Place(LOOPBACK, upstream), seed=1) as linking:
        reader = threading.Thread(target=lambda: [None for _ in linking.events()])
        reader.start()
        try:
            yield linking
        finally:
            linking.interrupt()
            reader.join()


@contextlib.contextmanager
def _haproxy(upstream: int) -> Iterator[int]:
    program = find_program("haproxy", "haproxy")
    with bind(LOOPBACK, 0) as free:
        port: int = free.getsockname()[1]

    def command(folder: Path) -> list[str]:
        file = folder / "haproxy.cfg"
        file.write_text(_HAPROXY.format(port=port, upstream=upstream))
        return [program, "-db", "-f", str(file)]

    proxy = PeerProcess("haproxy", port, command)
    try:
        proxy.wait_until_listening()
        yield port
    finally:
        proxy.stop()

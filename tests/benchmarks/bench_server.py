"""The lab server's timer, and what an idle connection costs it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from pathlib import Path

from econnlab.attribution.statistics import quantile
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.stage import Stage
from econnlab.record.events import Kind
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec
from tests.benchmarks.figures import Figure

REQUEST = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
TIMED, HELD = 1000, 2000


def measure() -> Iterator[Figure]:
    """How late idle connections are closed, and resident memory per held one."""
    raise_descriptors()
    yield from lateness()
    yield from memory()


def lateness() -> Iterator[Figure]:
    """Closes of connections that became idle one after another, 200 a second."""
    with (
        Stage(Scenario("bench", server=ServerSpec(keepalive_timeout_ms=Decimal(1000)))) as server,
        contextlib.ExitStack() as stack,
    ):
        pause = threading.Event()
        for _ in range(TIMED):
            ask(stack, server.address[1])
            pause.wait(0.005)
        late = []
        for event in chain.from_iterable(server.follow(lambda: False)):
            if event.kind == Kind.IDLE_TIMEOUT and event.due is not None:
                late.append((event.at - event.due) * 1000)
                if len(late) == TIMED:
                    break
    late.sort()
    yield Figure("idle connections closed early, of 1000", sum(each < 0 for each in late), at_most=0)
    yield Figure("idle connections closed late, median", quantile(late, 0.5), " ms")
    yield Figure("idle connections closed late, p99", quantile(late, 0.99), " ms", at_most=1.5)


def memory() -> Iterator[Figure]:
    """Connections that have had an answer and are held open."""
    with (
        Stage(Scenario("bench", server=ServerSpec(keepalive_timeout_ms=Decimal(600_000)))) as server,
        contextlib.ExitStack() as stack,
    ):
        child = server._topology._children[0]
        ask(stack, server.address[1])
        before = resident_kib(child.pid)
        for _ in range(HELD):
            ask(stack, server.address[1])
        grown = resident_kib(child.pid) - before
    yield Figure(f"resident memory per connection, {HELD} held", grown / HELD, " KiB", at_most=10)


def ask(stack: contextlib.ExitStack, port: int) -> None:
    """One request on a new connection, which stays open."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    client.sendall(REQUEST)
    client.recv(4096)


def resident_kib(pid: int) -> int:
    """VmRSS of a process (proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError(f"process {pid} has no VmRSS")

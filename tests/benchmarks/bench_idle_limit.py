"""What IdleLimitAdapter costs a request, beside HTTPAdapter in the same run, on loopback."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator
from decimal import Decimal

import requests
from requests.adapters import HTTPAdapter

from econnlab.client import IdleLimitAdapter
from econnlab.lab.stage import Stage
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec
from tests.benchmarks.figures import Figure

# Short turns: what else the machine does falls on few of them.
ROUNDS, REQUESTS = 1500, 5


def measure() -> Iterator[Figure]:
    """Turns of 5 requests each, one adapter and the other, in alternating order; the ratios' median."""
    spec = ServerSpec(keepalive_timeout_ms=Decimal(600_000))
    with (
        Stage(Scenario("bench", server=spec)) as server,
        requests.Session() as plain,
        requests.Session() as limited,
    ):
        url = server.url
        for session, adapter in ((plain, HTTPAdapter()), (limited, IdleLimitAdapter(idle_limit=300))):
            session.trust_env = False
            session.mount("http://", adapter)
        for session in (plain, limited):
            turn(session, url)
        gc.disable()  # its pauses would fall on one or the other
        ratios, plain_s, limited_s, added_s = [], [], [], []
        for number in range(ROUNDS):
            both = (plain, limited) if number % 2 else (limited, plain)
            took = {id(session): turn(session, url) for session in both}
            plain_s.append(took[id(plain)][0])
            limited_s.append(took[id(limited)][0])
            ratios.append(limited_s[-1] / plain_s[-1])
            added_s.append(took[id(limited)][1] - took[id(plain)][1])
        gc.enable()
    yield Figure("a request with HTTPAdapter, median", micro(plain_s), " us")
    yield Figure("a request with IdleLimitAdapter, median", micro(limited_s), " us")
    yield Figure("processor time that it adds to a request, median", micro(added_s), " us")
    yield Figure("IdleLimitAdapter / HTTPAdapter, median ratio", statistics.median(ratios), at_most=1.03)


def turn(session: requests.Session, url: str) -> tuple[float, float]:
    """Seconds for REQUESTS requests, one after another, and how many of them on a processor."""
    began, began_cpu = time.perf_counter(), time.thread_time()
    for _ in range(REQUESTS):
        session.get(url)
    return time.perf_counter() - began, time.thread_time() - began_cpu


def micro(turns: list[float]) -> float:
    """Microseconds per request."""
    return statistics.median(turns) / REQUESTS * 1_000_000

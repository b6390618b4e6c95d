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
from econnlab.lab.serving import Serving
from econnlab.scenario.server import ServerSpec
from tests.benchmarks.figures import Figure

ROUNDS, REQUESTS = 300, 20


def measure() -> Iterator[Figure]:
    """Turns of 20 requests each, one adapter and the other, in alternating order; the ratios' median."""
    spec = ServerSpec(keepalive_timeout_ms=Decimal(600_000))
    with Serving(spec) as server, requests.Session() as plain, requests.Session() as limited:
        url = f"http://127.0.0.1:{server.port}/"
        for session, adapter in ((plain, HTTPAdapter()), (limited, IdleLimitAdapter(idle_limit=300))):
            session.trust_env = False
            session.mount("http://", adapter)
        for session in (plain, limited):
            turn(session, url)
        gc.disable()  # its pauses would fall on one or the other
        ratios, plain_s, limited_s = [], [], []
        for number in range(ROUNDS):
            both = (plain, limited) if number % 2 else (limited, plain)
            took = {id(session): turn(session, url) for session in both}
            plain_s.append(took[id(plain)])
            limited_s.append(took[id(limited)])
            ratios.append(limited_s[-1] / plain_s[-1])
        gc.enable()
    yield Figure("a request with HTTPAdapter, median", micro(plain_s), " us")
    yield Figure("a request with IdleLimitAdapter, median", micro(limited_s), " us")
    yield Figure("IdleLimitAdapter / HTTPAdapter, median ratio", statistics.median(ratios), at_most=1.03)


def turn(session: requests.Session, url: str) -> float:
    """Seconds for REQUESTS requests, one after another."""
    began = time.perf_counter()
    for _ in range(REQUESTS):
        session.get(url)
    return time.perf_counter() - began


def micro(turns: list[float]) -> float:
    """Microseconds per request."""
    return statistics.median(turns) / REQUESTS * 1_000_000

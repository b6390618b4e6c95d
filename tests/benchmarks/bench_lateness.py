"""How late sends are at 100 requests a second, beside a plain heap with a thread pool in the same run."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import requests

from econnlab.attribution.statistics import quantile
from econnlab.lab.lab import Lab
from econnlab.lab.stage import Stage
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Plan, Scenario
from econnlab.scenario.server import ServerSpec
from tests.benchmarks.figures import Figure

SESSIONS, INTERVAL_S, REQUESTS = 200, 2.0, 6


def measure() -> Iterator[Figure]:
    """Median and p99 of both, and their ratio."""
    plan = Plan((Decimal(2000),), SESSIONS, REQUESTS)
    with Lab(Scenario("keepalive", ServerSpec(), link=PROFILES["article"], plan=plan)) as lab:
        for _ in lab.requests():
            pass
    ours = sorted(
        attempt.lateness_s * 1000
        for request in lab.run.requests
        for attempt in request.attempts
        if attempt.lateness_s is not None
    )
    plain = plain_heap_and_pool()
    yield Figure("lateness at 100 requests a second, median", quantile(ours, 0.5), " ms", at_most=0.6)
    yield Figure("lateness at 100 requests a second, p99", quantile(ours, 0.99), " ms", at_most=2)
    yield Figure("  a plain heap with a thread pool, median", quantile(plain, 0.5), " ms")
    yield Figure("  a plain heap with a thread pool, p99", quantile(plain, 0.99), " ms")
    yield Figure("  ours / plain, p99", quantile(ours, 0.99) / quantile(plain, 0.99))


class _NotedAdapter(requests.adapters.HTTPAdapter):
    """Notes when a request is about to be handed to urllib3, a moment before its first byte is sent."""

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        self.sent = time.monotonic()
        return super().send(request, *args, **kwargs)  # type: ignore[arg-type]


def plain_heap_and_pool() -> list[float]:
    """The usual way: sessions on a heap by due time, a pool of threads that sends what is due."""
    late: list[float] = []
    with Stage(Scenario("bench", server=ServerSpec(port=0))) as server, ThreadPoolExecutor(32) as pool:
        url = server.url
        begin = time.monotonic() + 0.5
        heap = [(begin + n * INTERVAL_S / SESSIONS, n, REQUESTS, opened()) for n in range(SESSIONS)]
        changed = threading.Condition()
        left = SESSIONS

        def ask(due: float, number: int, more: int, session: requests.Session) -> None:
            nonlocal left
            session.get(url)
            late.append((session.get_adapter(url).sent - due) * 1000)  # type: ignore[attr-defined]
            with changed:
                if more > 1:
                    heapq.heappush(heap, (time.monotonic() + INTERVAL_S, number, more - 1, session))
                else:
                    session.close()
                    left -= 1
                changed.notify()

        with changed:
            while left:
                if not heap or heap[0][0] > time.monotonic():
                    changed.wait(heap[0][0] - time.monotonic() if heap else None)
                    continue
                due, number, more, session = heapq.heappop(heap)
                pool.submit(ask, due, number, more, session)
    return sorted(late)


def opened() -> requests.Session:
    """A session that notes its sends."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", _NotedAdapter())
    return session

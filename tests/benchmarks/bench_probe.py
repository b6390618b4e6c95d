"""What ``econnlab probe`` takes, how far two probes agree, and how punctual it is. All on loopback."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from econnlab.attribution.statistics import quantile
from econnlab.lab.stage import Stage
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec
from tests.benchmarks.figures import Figure, econnlab

SERVER = Path(__file__).parent.parent / "peers/server.cjs"


def measure() -> Iterator[Figure]:
    """Two probes of each server, one after the other."""
    with Stage(Scenario("bench", server=ServerSpec(keepalive_timeout_ms=Decimal(5000), port=0))) as serving:
        yield from _twice("lab server, 5 s", serving.url, 5000)
        late = sorted((event.at - event.due) * 1000 for event in serving.events() if event.due is not None)
        # What the edges cannot but show: on a busy machine the server is late itself.
        yield Figure("lab server, 5 s: it closed late itself, p95", quantile(late, 0.95), " ms")
    node = shutil.which("node")
    if node is not None:
        with _node(node, 5000) as url:
            # Node 20 says 5 s and closes at 6: nodejs/node PR #54863.
            yield from _twice("Node, says 5 s", url, None)


def _twice(name: str, url: str, timeout_ms: float | None) -> Iterator[Figure]:
    probes = [econnlab("probe", url) for _ in range(2)]
    (first, took), (second, took_again) = probes
    yield Figure(f"{name}: probed in", max(took, took_again), " s", at_most=20)
    if timeout_ms is not None:
        off = max(abs(_closes(document)["median"] - timeout_ms) for document, _ in probes)
        spread = max(_closes(document)["max"] - _closes(document)["min"] for document, _ in probes)
        yield Figure(f"{name}: idle timeout is off by", off, " ms", at_most=1 + spread)
    for edge in ("edge_5", "edge_95"):
        apart = abs(first["window"][edge]["ms"] - second["window"][edge]["ms"])
        yield Figure(f"{name}: {edge} of two probes is apart by", apart, " ms", at_most=0.5)
    for document, _ in probes:
        precision = document["precision"]
        yield Figure(f"{name}: late sends, all, p99", precision["late_ms_p99"], " ms")
        kept = sorted(visit["late_ms"] for visit in document["visits"] if visit["sent_ms"] and visit["exact"])
        yield Figure(f"{name}: late sends, those kept, p99", quantile(kept, 0.99), " ms", at_most=0.2)
        yield Figure(f"{name}: discarded of {precision['sends']} sends", precision["discarded"])


def _closes(document: dict[str, Any]) -> dict[str, float]:
    closes: dict[str, float] = document["idle"]["closed_after_ms"]
    return closes


@contextlib.contextmanager
def _node(program: str, keepalive_timeout_ms: int) -> Iterator[str]:
    words = [program, str(SERVER), str(keepalive_timeout_ms)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.kill()

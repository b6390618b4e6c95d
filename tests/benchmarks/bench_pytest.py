"""The pytest fixtures: how soon a server is there, and what the plugin costs those who do not use it."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from econnlab.attribution.statistics import quantile
from econnlab.lab.stage import Stage
from econnlab.lab.warm import Warm
from econnlab.scenario.toml import make_scenario
from tests.benchmarks.figures import Figure

STARTS, RUNS = 100, 31
TABLES = {
    "a server": {"server": {"keepalive_timeout": "200ms"}},
    "a server and a link": {"link": "40ms"},
    "a server with TLS": {"server": {"tls": True}},
}
_IMPORT = (
    "import time, pytest; began = time.perf_counter(); import econnlab.pytest_plugin;"
    "print(time.perf_counter() - began)"
)


def measure() -> Iterator[Figure]:
    """Starts in a row after the first, and whole runs in turn with and without the plugin."""
    with Warm() as warm:
        for what, table in TABLES.items():
            first, *took = sorted_after_first(warm, table)
            yield Figure(f"the first: {what}", first, " ms")
            yield Figure(f"{what}, median of {STARTS} in a row", quantile(took, 0.5), " ms", at_most=50)
            yield Figure(f"{what}, the slowest of them", took[-1], " ms")
    yield Figure(
        "importing the plugin after pytest, median", statistics.median(map(imported, range(RUNS))), " ms"
    )
    yield Figure(
        "what the plugin adds to a pytest run that does not use it, median", plugin_ms(), " ms", at_most=10
    )


def sorted_after_first(warm: Warm, table: dict[str, object]) -> list[float]:
    """The ms that the first start took, then those of the others in order of size."""
    took = []
    for _ in range(STARTS + 1):
        began = time.perf_counter()
        with Stage(make_scenario(table, "bench", "bench"), start=warm):
            took.append((time.perf_counter() - began) * 1000)
    return [took[0], *sorted(took[1:])]


def imported(_: int) -> float:
    """The ms of the import alone, in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1000


def plugin_ms() -> float:
    """The median difference of pairs of runs, in ms of processor time: the rest of a run is much longer."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder, folder]
        loaded = [*words, "-p", "econnlab.pytest_plugin"]
        pairs = [computed(loaded, folder) - computed(words, folder) for _ in range(RUNS)]
    return statistics.median(pairs)


def computed(words: list[str], folder: str) -> float:
    """The ms that a process computes. It loads no plugin by itself, and modules that are compiled."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        words,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env={**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=False,
    )
    assert done.returncode == 5  # no test was there
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime) * 1000

"""A capture of a million packets, diagnosed: seconds, memory, and how they grow; beside tshark."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.figures import Figure
from tests.benchmarks.traffic import write_traffic

FEW, MANY = 250_000, 1_000_000
RUNS = 3


def measure() -> Iterator[Figure | str]:
    """The best of some runs of each: what else the machine does only adds to them."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.pcap", Path(folder) / "many.pcap"
        for path, packets in ((few, FEW), (many, MANY)):
            with path.open("wb") as stream:
                write_traffic(stream, packets)
        try:
            quick = min(diagnose(few).busy for _ in range(RUNS))
            runs = [diagnose(many) for _ in range(RUNS)]
        except subprocess.CalledProcessError as error:
            yield f"econnlab diagnose ended with {error.returncode}: {error.stderr.strip()}"
            return
        seconds, peak = min(runs).seconds, max(run.peak_mb for run in runs)
        yield Figure(f"econnlab diagnose of {MANY:,} packets", seconds, " s", at_most=8)
        busy = min(run.busy for run in runs)
        yield Figure("  of them on a processor", busy, " s")
        yield Figure("  peak of resident memory", peak, " MB", at_most=300)
        yield Figure(f"  processor time / that of {FEW:,} packets", busy / quick, at_most=4.4)
        yield from beside_tshark(many, seconds)


def beside_tshark(path: Path, seconds: float) -> Iterator[Figure | str]:
    """Wireshark's own list of connections."""
    tshark = shutil.which("tshark")
    if tshark is None:
        yield "  tshark is not installed, so nothing stands beside it: make peers"
        return
    theirs = run([tshark, "-n", "-q", "-z", "conv,tcp", "-r", str(path)])
    yield Figure("tshark -q -z conv,tcp of the same file", theirs.seconds, " s")
    yield Figure("  peak of resident memory", theirs.peak_mb, " MB")
    yield Figure("econnlab diagnose / tshark", seconds / theirs.seconds, at_most=0.6)


class Cost(NamedTuple):
    """Of a process: seconds, those it was on a processor, and the most memory that it had resident, MB."""

    seconds: float
    busy: float
    peak_mb: float


def diagnose(path: Path) -> Cost:
    """What the command costs."""
    return run([sys.executable, "-m", "econnlab", "diagnose", str(path), "--json", "-"])


def run(words: list[str]) -> Cost:
    """What a process costs. Raises CalledProcessError."""
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            raise subprocess.CalledProcessError(child.returncode, words, stderr=errors.read())
    # KiB on Linux, bytes on macOS (getrusage(2)). It counts what this process had when it forked (exec_mmap()
    # in Linux' fs/exec.c), so nothing large may be held here.
    busy = usage.ru_utime + usage.ru_stime
    return Cost(took, busy, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6)

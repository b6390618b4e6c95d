"""``watch`` under load: a generator on the loopback of a network of its own sends packets at a steady rate.

``python -m tests.acceptance.watch RATE SECONDS`` is the inside of one run. The packets are those of
``tests/benchmarks/traffic.py``; their addresses are not this host's, so that no kernel answers them.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from econnlab.lab.namespace import enter
from econnlab.packets.reading import read_capture
from tests.benchmarks.figures import Figure
from tests.benchmarks.traffic import write_traffic

RATE = int(os.environ.get("ECONNLAB_RATE", "50000"))
SECONDS = float(os.environ.get("ECONNLAB_SECONDS", "60"))
#: Packets that are made; then they come again from other clients.
MADE = 400_000
_MEMORY_MB = 200
_SEND = 0.005
_QDISC_BYPASS = 20
_SOL_PACKET = 263


def measure() -> Iterator[Figure]:
    """At the rate that was asked for, and at one that is too high."""
    yield from _figures(_inside(RATE, SECONDS), RATE, SECONDS)
    fast = _inside(4 * RATE, min(SECONDS, 10))
    yield Figure(f"sent as fast as it goes, at most {4 * RATE:,}/s", fast["rate"], "/s")
    yield Figure("  captured and dropped / sent", _counted(fast), at_least=1)
    yield Figure("  dropped", fast["dropped"])
    yield Figure("  processor time a packet", fast["busy"] / fast["seen"] * 1e6, " us")


def _figures(run: dict[str, Any], rate: int, seconds: float) -> Iterator[Figure]:
    yield Figure(f"sent for {seconds:g} s", run["rate"], "/s", at_least=0.98 * rate)
    yield Figure("  captured and dropped / sent", _counted(run), at_least=1)
    yield Figure("  dropped", run["dropped"], at_most=0)
    yield Figure("  processor time a packet", run["busy"] / run["seen"] * 1e6, " us", at_most=1e6 / rate)
    yield Figure("  peak of resident memory", run["peak_mb"], " MB", at_most=_MEMORY_MB)
    yield Figure("  from Ctrl-C to its end", run["end_s"], " s", at_most=0.5)


def _counted(run: dict[str, Any]) -> float:
    return float((run["seen"] + run["unread"] + run["dropped"]) / run["sent"])


def _inside(rate: int, seconds: float) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.watch", str(rate), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- inside -----------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """A process that was waited for."""

    code: int
    busy: float
    peak_mb: float
    end_s: float


def main(rate: int, seconds: float) -> None:
    """Send to a watch in a network of this process's own, and print what it said."""
    frames = _frames()
    enter({})
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        with output.open("wb") as stream:
            watch = subprocess.Popen(
                [sys.executable, "-m", "econnlab", "watch", "-i", "lo", "--memory", str(_MEMORY_MB)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
            _until_it_listens(watch)
            sent, took = _send(frames, rate, seconds)
            time.sleep(0.5)  # a block that is not full is handed over after 50 ms
            ended = _end(watch)
        said = output.read_text()
    seen = re.search(r"^lo: ([\d,]+) packets", said, re.MULTILINE)
    dropped = re.search(r"capture dropped ([\d,]+) packets: more", said)
    unread = re.search(r"note: ([\d,]+) packets were captured and not read", said)
    found = {
        "sent": sent,
        "rate": sent / took,
        "seen": _number(seen),
        "dropped": _number(dropped),
        "unread": _number(unread),
        **ended._asdict(),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    if ended.code != 130:
        sys.stderr.write(said[-2000:])


def _number(found: re.Match[str] | None) -> int:
    return int(found[1].replace(",", "")) if found is not None else 0


def _frames() -> list[bytearray]:
    stream = io.BytesIO()
    write_traffic(stream, MADE)
    stream.seek(0)
    return [bytearray(frame.data) for frame in read_capture(stream)]


def _until_it_listens(watch: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while len(Path("/proc/net/packet").read_text().splitlines()) < 2:
        if watch.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("watch does not listen")
        time.sleep(0.02)
    time.sleep(1)


def _send(frames: list[bytearray], rate: int, seconds: float) -> tuple[int, float]:
    """Send ``rate`` a second, in portions; how many, and how long it took."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("lo", 0))
        sock.setsockopt(_SOL_PACKET, _QDISC_BYPASS, 1)
        send, sent, began, octet = sock.send, 0, time.monotonic(), 1
        while (passed := time.monotonic() - began) < seconds:
            due = min(int(passed * rate), sent + 2000)
            while sent < due:
                at = sent % len(frames)
                if not at and sent:
                    octet += 1
                    _other_clients(frames, octet)
                send(frames[at])
                sent += 1
            left = (sent + _SEND * rate) / rate - (time.monotonic() - began)
            if left > 0:
                time.sleep(min(left, _SEND))
        return sent, time.monotonic() - began


def _other_clients(frames: list[bytearray], octet: int) -> None:
    for frame in frames:
        for at in (26, 30):  # source and target of IPv4 behind Ethernet
            if frame[at] == 10 and frame[at + 1] != 0:
                frame[at + 1] = octet


def _end(watch: subprocess.Popen[bytes]) -> Ended:
    began = time.monotonic()
    watch.send_signal(signal.SIGINT)
    _, status, usage = os.wait4(watch.pid, 0)
    end_s = time.monotonic() - began
    watch.returncode = os.waitstatus_to_exitcode(status)
    return Ended(watch.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, end_s)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))

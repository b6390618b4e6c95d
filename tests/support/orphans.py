"""The lab is killed while peers run: which of its processes outlive it, and for how long."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

#: Pairs of a server and a client.
PAIRS = (
    ("node", "axios"), ("node@14.18.0", "axios@0.22.0"), ("express", "undici"), ("uvicorn", "httpx"),
    ("gunicorn", "aiohttp"), ("hypercorn", "fetch"), ("waitress", "got"), ("aiohttp.web", "node"),
    ("nginx", "undici"), ("haproxy", "curl"),
)  # fmt: skip
#: No process may run for longer after the lab's end.
MOST_S = 3.0
#: The latest moment, from the start of the command, at which it is killed.
LATEST_S = 4.0
_MARK = "ECONNLAB_TEST_ROUND"
_GIVE_UP_S = 15.0


def outlived_s(server: str, client: str, after_s: float) -> float:
    """Kill the lab ``after_s`` seconds after its start. How long the last of its processes ran on."""
    mark = uuid.uuid4().hex
    words = ["keepalive", "--server", server, "--client", client, "--interval", "50"]
    process = subprocess.Popen(
        [sys.executable, "-m", "econnlab", *words, "--requests", "100000", "--sessions", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, _MARK: mark},
    )
    threading.Event().wait(after_s)
    process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    process.wait()
    while marked(mark) and time.monotonic() < killed + _GIVE_UP_S:
        threading.Event().wait(0.02)
    return time.monotonic() - killed


def marked(mark: str) -> list[int]:
    """The processes that have inherited ``mark``; a zombie has no environment."""
    needle = f"{_MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if needle in environment:
                found.append(int(entry.name))
    return found


def moments(count: int, seed: int) -> list[tuple[str, str, float]]:
    """Pairs in turn, each with a random moment."""
    chance = random.Random(seed)
    return [(*PAIRS[number % len(PAIRS)], chance.uniform(0.0, LATEST_S)) for number in range(count)]

"""SIGKILL of the lab at random moments with peers running: no process of a peer outlives it by 3 s."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.support.orphans import MOST_S, moments, outlived_s

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "100"))


def measure() -> Iterator[Figure]:
    """How many kills left a process behind for too long, and the longest that one ran on."""
    seed = int(time.time())
    yield Figure("seed", seed)
    worst, over = 0.0, 0
    for server, client, after_s in moments(ROUNDS, seed):
        ran_on = outlived_s(server, client, after_s)
        worst = max(worst, ran_on)
        over += ran_on > MOST_S
        if ran_on > MOST_S:
            sys.stderr.write(f"{server} and {client}, killed after {after_s:.2f} s: {ran_on:.1f} s\n")
    yield Figure(f"of {ROUNDS} kills, with a process that ran on for over {MOST_S:g} s", over, at_most=0)
    yield Figure("  the longest that one ran on", worst, " s", at_most=MOST_S)

"""Damaged captures by the ten thousand, for each function that reads them: see tests.fuzz."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.fuzz.__main__ import hold
from tests.fuzz.holding import FUNCTIONS

EXAMPLES = int(os.environ.get("ECONNLAB_EXAMPLES", "10000"))


def measure() -> Iterator[Figure]:
    """How many files each function came to a good end with. The first that upsets it raises."""
    seed = int(time.time())
    yield Figure("seed", seed)
    for name in FUNCTIONS:
        endings = hold(name, EXAMPLES, seed)
        yield Figure(
            f"damaged captures that {name} came to a good end with", endings.total(), at_least=EXAMPLES
        )
        yield Figure("  different ends", len(endings))

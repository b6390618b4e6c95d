"""``make fuzz``, or ``python -m tests.fuzz --examples 10000``: damaged captures by the thousand."""

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.damage import damaged_captures
from tests.fuzz.holding import FUNCTIONS, check, traced

#: What differs between messages of one kind: bytes and numbers.
_KIND = re.compile(r"\b[0-9a-f]{2}( [0-9a-f]{2}){0,3}(?=[,.])|b'.*'|\b(0x)?[0-9a-f]*\d[0-9a-f]*\b")


def main(words):
    """Damage captures until one breaks the property."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--of", choices=FUNCTIONS, default="diagnose")
    chosen = parser.parse_args(words)
    print(f"{chosen.examples} examples, --seed {chosen.seed}", flush=True)
    began = time.monotonic()
    endings = hold(chosen.of, chosen.examples, chosen.seed)
    for ending, count in endings.most_common():
        print(f"{count:>7}  {ending}")
    print(f"it holds: {endings.total()} files in {time.monotonic() - began:.0f} s")
    return 0


def hold(name, examples, chosen_seed):
    """How often the function of this name ended in which way.

    Raises what the first damaged file raised that breaks the property, and keeps that file.
    """
    function, most_bytes = FUNCTIONS[name]
    endings, last = Counter(), [b""]

    @seed(chosen_seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged_captures())
    def holds(data):
        last[0] = data
        endings[_KIND.sub("..", check(data, function, most_bytes))] += 1

    try:
        with traced():
            holds()
    except BaseException:
        path = Path(tempfile.mkdtemp(prefix="econnlab-fuzz-")) / "capture"
        path.write_bytes(last[0])
        print(f"it does not hold for {path}", flush=True)
        raise
    return endings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

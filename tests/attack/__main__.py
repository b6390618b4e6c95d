"""``python -m tests.attack [SHARE]``: the counts of issue 17, or a share of them. Prints what it found.

0 tracebacks, 0 processes, files or folders left, 0 lost rows is the aim; anything else ends with exit 1.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic as now

from tests.attack.endings import interrupted, killed
from tests.attack.files import damaged
from tests.attack.found import Found
from tests.attack.requests import connected, malformed

#: What each attack is, how often it is made, and the seconds after which it makes no more.
ATTACKS: tuple[tuple[str, Callable[[Path, int, float], Iterator[Found]], int, float], ...] = (
    ("malformed requests", malformed, 100_000, 900.0),
    ("damaged files", damaged, 20_000, 1200.0),
    ("connections at once", connected, 5_000, 300.0),
    ("SIGKILLs", killed, 200, 900.0),
    ("Ctrl-Cs", interrupted, 200, 900.0),
)


def main() -> int:
    """Run every attack. Returns the exit code."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    clean = True
    for name, attack, count, most_s in ATTACKS:
        began = now()
        with tempfile.TemporaryDirectory(prefix="econnlab-attack-") as folder:
            total = sum(attack(Path(folder), max(1, round(count * share)), began + most_s * share), Found())
        print(f"{total.made:>7,} {name}: {total} ({now() - began:.0f} s)", flush=True)
        for each in total.examples[:5]:
            print(f"        {each}", flush=True)
        clean = clean and total.clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())

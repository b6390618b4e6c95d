"""``make bench``: figures asked for beside those measured; ``python -m tests.benchmarks NAME...`` for some.

Figures about speed are ratios within one run, or spans on this machine now: they are printed, never tested.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tests.benchmarks.figures import machine


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all of them."""
    folder = Path(__file__).parent
    known = sorted(path.stem for path in folder.glob("bench_*.py"))
    chosen = [f"bench_{name}" for name in names] or known
    unknown = set(chosen) - set(known)
    if unknown:
        sys.stderr.write(f"no such benchmark; there are {', '.join(name[6:] for name in known)}\n")
        return 2
    sys.stdout.write(f"{machine()}\n")
    for name in chosen:
        for figure in importlib.import_module(f"tests.benchmarks.{name}").measure():
            sys.stdout.write(f"{name[6:]:<10} {figure}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``make acceptance``: long runs whose counts must be reached; ``python -m tests.acceptance NAME`` does one.

Each module beside this one is a long run, and prints its figures as they come. The exit code is 1 if one
misses what was asked. ECONNLAB_ROUNDS and ECONNLAB_EXAMPLES make the runs shorter or longer.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from pathlib import Path

from tests.benchmarks.figures import machine


def main(names: list[str]) -> int:
    """Do the long runs of these names, or all of them."""
    known = sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]))
    known.remove("__main__")
    if unknown := set(names) - set(known):
        sys.stderr.write(f"no such run: {', '.join(sorted(unknown))}; there are {', '.join(known)}\n")
        return 2
    sys.stdout.write(f"{machine()}\n")
    missed = 0
    for name in names or known:
        began = time.monotonic()
        for figure in importlib.import_module(f"tests.acceptance.{name}").measure():
            missed += not figure.kept
            sys.stdout.write(f"{name:<10} {figure}\n")
            sys.stdout.flush()
        sys.stdout.write(f"{name:<10} took {time.monotonic() - began:.0f} s\n")
    sys.stdout.write(f"{missed} figures missed\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

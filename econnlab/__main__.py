"""The way in, for ``python -m econnlab`` and for the console script alike."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit. Ctrl-C is 130 from here on, also while the imports run."""
    try:
        from econnlab.cli.main import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()

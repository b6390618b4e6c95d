"""The way in, for ``python -m econnlab`` and for the console script alike.

Until a command takes Ctrl-C over, it ends the process at once: nothing is there yet to clean up, and a
KeyboardInterrupt in the middle of an import can come out as any other error.
"""

from __future__ import annotations

try:
    import os
    import signal
    import sys

    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
except KeyboardInterrupt:
    raise SystemExit(130) from None


def main() -> None:
    """Run the command line and exit."""
    from econnlab.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()

"""The link's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

from econnlab.link.clockwork import run_process
from econnlab.link.link import Link
from econnlab.link.settings import LinkSettings


def main() -> None:
    """Relay from the socket that the settings name, until told to stop."""
    run_process(LinkSettings, Link)


if __name__ == "__main__":
    main()

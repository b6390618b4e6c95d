"""The wire's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

from econnlab.link.clockwork import run_process
from econnlab.link.settings import WireSettings
from econnlab.link.tun.wire import Wire


def main() -> None:
    """Carry packets of the device that the settings name, until told to stop."""
    run_process(WireSettings, Wire)


if __name__ == "__main__":
    main()

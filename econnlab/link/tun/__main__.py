"""The wire's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

from econnlab.link.orders import follow
from econnlab.link.poller import Poller
from econnlab.link.tun.wire import Wire
from econnlab.record.events import Source
from econnlab.record.ledger import Ledger, write_all
from econnlab.scenario.codec import decode
from econnlab.scenario.links import LinkSpec
from econnlab.system.child import FLUSH_S, Commands, claim_ledger_stream
from econnlab.system.clock import now


def main() -> None:
    """Carry packets of the device that the first command names, until told to stop.

    Settings: ``listener_fd`` (the device's descriptor), ``port`` (the server's), ``spec``, ``seed``.
    """
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = commands.first()

    def plan_flush() -> None:
        wire.flush_by = now() + FLUSH_S

    ledger = Ledger(Source.LINK, lambda batch: write_all(ledger_fd, batch), plan_flush)
    poller = Poller()
    spec = decode(LinkSpec, settings["spec"])
    wire = Wire(spec, settings["seed"], settings["listener_fd"], settings["port"], ledger, poller)

    follow(commands, poller, ledger, wire.stop)
    try:
        wire.run()
    finally:
        wire.close()
        ledger.flush()


if __name__ == "__main__":
    main()

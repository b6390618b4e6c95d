"""The link's process; see econnlab.child for how it is talked to."""

from __future__ import annotations

import socket

from econnlab.child import FLUSH_S, Commands, claim_ledger_stream
from econnlab.clock import now
from econnlab.link.link import Link
from econnlab.link.orders import follow
from econnlab.link.poller import Poller
from econnlab.record.events import Source
from econnlab.record.ledger import Ledger, write_all
from econnlab.scenario.codec import decode
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.model import Middlebox


def main() -> None:
    """Relay from the socket that the first command names, until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = commands.first()
    ledger = Ledger(
        Source.LINK,
        lambda batch: write_all(ledger_fd, batch),
        lambda: link.at(now() + FLUSH_S, ledger.flush),
    )
    host, port = settings["upstream"]
    poller = Poller()
    listener = socket.socket(fileno=settings["listener_fd"])
    forgets = settings.get("middlebox")
    link = Link(
        decode(LinkSpec, settings["spec"]),
        settings["seed"],
        listener,
        (host, port),
        ledger,
        poller,
        None if forgets is None else decode(Middlebox, forgets),
    )

    follow(commands, poller, ledger, link.stop)
    try:
        link.run()
    finally:
        link.close()
        ledger.flush()


if __name__ == "__main__":
    main()

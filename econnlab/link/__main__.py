"""The link's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

import socket
from typing import Any

from econnlab.link.alone import LinkAlone
from econnlab.link.link import Link
from econnlab.link.orders import follow
from econnlab.link.poller import Poller
from econnlab.record.events import Source
from econnlab.record.ledger import Ledger, write_all
from econnlab.scenario.codec import decode
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.model import Middlebox
from econnlab.scenario.treatment import Treatment
from econnlab.system.child import FLUSH_S, Commands, claim_ledger_stream
from econnlab.system.clock import now


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
    poller = Poller()
    listener = socket.socket(fileno=settings["listener_fd"])
    link = _link(settings, listener, ledger, poller)
    follow(commands, poller, ledger, link.stop, link.obey)
    try:
        link.run()
    finally:
        link.close()
        ledger.flush()


def _link(settings: dict[str, Any], listener: socket.socket, ledger: Ledger, poller: Poller) -> Link:
    seed = settings["seed"]
    if "treatment" in settings:
        candidates = [(host, port) for host, port in settings["candidates"]]
        treatment = decode(Treatment, settings["treatment"])
        return LinkAlone(treatment, seed, listener, candidates, ledger, poller)
    host, port = settings["upstream"]
    forgets = settings.get("middlebox")
    middlebox = None if forgets is None else decode(Middlebox, forgets)
    return Link(decode(LinkSpec, settings["spec"]), seed, listener, (host, port), ledger, poller, middlebox)


if __name__ == "__main__":
    main()

"""The server's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

import asyncio
import shutil
import socket
from typing import Any

from econnlab.discovery import parts
from econnlab.record.events import Source
from econnlab.record.ledger import Ledger, write_all
from econnlab.scenario.codec import decode
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import Restart, ServerSpec
from econnlab.server.idle_timers import IdleTimers
from econnlab.server.lab_server import LabServer
from econnlab.server.tls import server_context
from econnlab.system.child import FLUSH_S, Commands, claim_ledger_stream
from econnlab.system.precise import PreciseSelector


def main() -> None:
    """Serve on the socket that the first command names, until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = commands.first()
    spec = decode(ServerSpec, settings["spec"])
    listener = socket.socket(fileno=settings["listener_fd"])

    selector = PreciseSelector()
    idle_timers = IdleTimers()
    selector.before_poll = idle_timers.run_due
    loop = asyncio.SelectorEventLoop(selector)

    def flush_soon() -> None:
        loop.call_later(FLUSH_S, ledger.flush)

    ledger = Ledger(Source.SERVER, lambda batch: write_all(ledger_fd, batch), flush_soon)
    manners = parts("econnlab.server.when_full")
    server = LabServer(
        spec,
        listener,
        loop,
        ledger,
        idle_timers,
        manners[spec.when_full],
        settings.get("first_number", 1),
        server_context(settings["certificate"]) if spec.tls else None,
    )

    def obey(orders: list[dict[str, Any]]) -> None:
        for command in orders:
            if "sync" in command:
                ledger.sync(command["sync"])
            elif command.get("listen"):
                server.start()
                ledger.flush()
            elif "retire" in command:
                restart = decode(Restart, command["retire"])
                server.retire(restart.manner, seconds(restart.drain_ms))
            elif command.get("stop"):
                loop.stop()

    loop.add_reader(commands.fd, lambda: obey(commands.read()))
    loop.call_soon(obey, commands.waiting())
    if not settings.get("standby"):
        server.start()
        ledger.flush()
    try:
        loop.run_forever()
    finally:
        server.stop()
        ledger.flush()
        loop.close()
        if "remove" in settings:  # also when the parent has been killed, and cannot
            shutil.rmtree(settings["remove"], ignore_errors=True)


if __name__ == "__main__":
    main()

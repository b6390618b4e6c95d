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
from econnlab.scenario.server import Restart
from econnlab.server.idle_timers import IdleTimers
from econnlab.server.lab_server import LabServer
from econnlab.server.service import Service
from econnlab.server.settings import ServerSettings
from econnlab.server.tls import server_context
from econnlab.system.child import FLUSH_S, Commands, claim_ledger_stream
from econnlab.system.precise import PreciseSelector


def main() -> None:
    """Serve on the socket that the first command names, until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = decode(ServerSettings, commands.first())
    spec = settings.spec
    listener = socket.socket(fileno=settings.listener_fd)

    selector = PreciseSelector()
    idle_timers = IdleTimers()
    selector.before_poll = idle_timers.run_due
    loop = asyncio.SelectorEventLoop(selector)

    def flush_soon() -> None:
        loop.call_later(FLUSH_S, ledger.flush)

    ledger = Ledger(Source.SERVER, lambda batch: write_all(ledger_fd, batch), flush_soon)
    server = LabServer(
        Service(spec, loop, ledger, idle_timers),
        listener,
        parts("econnlab.server.when_full")[spec.when_full],
        settings.first_number,
        server_context(settings.certificate) if spec.tls and settings.certificate else None,
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
    if not settings.standby:
        server.start()
        ledger.flush()
    unexpected: list[BaseException] = []

    def on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        unexpected.append(context.get("exception") or RuntimeError(context["message"]))
        loop.stop()

    loop.set_exception_handler(on_exception)
    try:
        loop.run_forever()
        if unexpected:
            raise unexpected[0]  # into stderr, which the parent reads; asyncio would log it and go on
        server.stop()
    finally:
        ledger.flush()
        loop.close()
        if settings.remove is not None:  # also when the parent has been killed, and cannot
            shutil.rmtree(settings.remove, ignore_errors=True)


if __name__ == "__main__":
    main()

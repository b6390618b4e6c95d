"""The server's process; see econnlab.system.child for how it is talked to."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
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
from econnlab.system.child import FLUSH_S, Command, Commands, Verb, claim_ledger_stream
from econnlab.system.precise import PreciseSelector


def main() -> None:
    """Serve on the socket that the settings name, until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = decode(ServerSettings, commands.first())
    selector = PreciseSelector()
    idle_timers = IdleTimers()
    selector.before_poll = idle_timers.run_due
    loop = asyncio.SelectorEventLoop(selector)

    def flush_soon() -> None:
        loop.call_later(FLUSH_S, ledger.flush)

    ledger = Ledger(Source.SERVER, lambda batch: write_all(ledger_fd, batch), flush_soon)
    server = _server(settings, loop, ledger, idle_timers)

    def obey(orders: list[Command]) -> None:
        for command in orders:
            _obey(command, server, loop, ledger)

    loop.add_reader(commands.fd, lambda: obey(commands.read()))
    loop.call_soon(obey, commands.waiting())
    with _authority(settings):
        if not settings.standby:
            server.start()
            ledger.flush()
        try:
            _run(loop)
            server.stop()
        finally:
            ledger.flush()
            loop.close()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run until stopped. Raises what a callback raises: asyncio would log it and go on."""
    unexpected: list[BaseException] = []

    def on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        unexpected.append(context.get("exception") or RuntimeError(context["message"]))
        loop.stop()

    loop.set_exception_handler(on_exception)
    loop.run_forever()
    if unexpected:
        raise unexpected[0]


def _server(
    settings: ServerSettings, loop: asyncio.AbstractEventLoop, ledger: Ledger, idle_timers: IdleTimers
) -> LabServer:
    spec = settings.spec
    return LabServer(
        Service(spec, loop, ledger, idle_timers),
        socket.socket(fileno=settings.listener_fd),
        parts("econnlab.server.when_full")[spec.when_full],
        settings.first_number,
        server_context(settings.certificate) if spec.tls and settings.certificate else None,
    )


def _obey(command: Command, server: LabServer, loop: asyncio.AbstractEventLoop, ledger: Ledger) -> None:
    if command.verb is Verb.SYNC:
        ledger.sync(command.value)
    elif command.verb is Verb.LISTEN:
        server.start()
        ledger.flush()
    elif command.verb is Verb.RETIRE:
        restart = decode(Restart, command.value)
        server.retire(restart.manner, seconds(restart.drain_ms))
    elif command.verb is Verb.STOP:
        loop.stop()


@contextlib.contextmanager
def _authority(settings: ServerSettings) -> Iterator[None]:
    """Keep the authority in a file as long as this process lives, which ends also if the parent is killed."""
    if settings.authority is None or settings.authority_file is None:
        yield
        return
    with open(settings.authority_file, "x") as file:
        file.write(settings.authority)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(settings.authority_file)


if __name__ == "__main__":
    main()

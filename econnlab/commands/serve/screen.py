"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

from econnlab.cli.console import LabConsole, console, say
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import interrupts
from econnlab.cli.saving import EventFile
from econnlab.commands.serve.lone_server import LoneServer
from econnlab.commands.serve.report import Ticker
from econnlab.errors import ExitCode
from econnlab.scenario.durations import format_ms
from econnlab.scenario.server import ServerSpec, reuse_warning
from econnlab.system.sockets import address


def serve_in_foreground(spec: ServerSpec, jsonl: str | None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with interrupts() as stop, EventFile(jsonl) as ledger:
        screen = console(stderr=jsonl == STDOUT)
        server = LoneServer(spec)
        stop.stops(server.interrupt)
        with server:
            ledger.begin()
            _greet(screen, spec, server)
            ticker = Ticker()
            for event in server.events():
                ledger.event(event)
                line = ticker.line(event)
                if line is not None:
                    screen.print(line, soft_wrap=True)
            screen.print(ticker.summary(), soft_wrap=True)
    return ExitCode.INTERRUPTED


def _greet(screen: LabConsole, spec: ServerSpec, server: LoneServer) -> None:
    where = address((spec.host, server.port))
    screen.print(
        f"listening on {'https' if spec.tls else 'http'}://{where}/, keep-alive timeout "
        f"{format_ms(spec.keepalive_timeout_ms)} ms; Ctrl-C ends",
        soft_wrap=True,
    )
    if warning := reuse_warning(spec, "--no-advertise"):
        say(warning, "yellow")
    if server.authority is not None:
        screen.print(f"clients must trust {server.authority} (curl --cacert)", soft_wrap=True)

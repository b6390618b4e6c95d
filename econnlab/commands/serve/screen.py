"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

import contextlib

from econnlab.cli.console import OutputClosed, console
from econnlab.cli.interrupts import interrupts
from econnlab.cli.ledger import open_ledger, write_event
from econnlab.cli.outputs import STDOUT
from econnlab.commands.serve.lone_server import LoneServer
from econnlab.commands.serve.report import Ticker
from econnlab.errors import ExitCode
from econnlab.scenario.durations import format_ms
from econnlab.scenario.server import ServerSpec
from econnlab.system.sockets import address


def serve_in_foreground(spec: ServerSpec, jsonl: str | None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(interrupts())
        ledger = open_ledger(jsonl, stack)
        screen = console(stderr=jsonl == STDOUT)
        server = LoneServer(spec)
        stop.stops(server.interrupt)
        stack.enter_context(server)
        ticker = Ticker()
        try:
            where = address((spec.host, server.port))
            screen.print(
                f"listening on {'https' if spec.tls else 'http'}://{where}/, keep-alive timeout "
                f"{format_ms(spec.keepalive_timeout_ms)} ms; Ctrl-C ends",
                soft_wrap=True,
            )
            if server.authority is not None:
                screen.print(f"clients have to trust {server.authority} (curl --cacert)", soft_wrap=True)
            for event in server.events():
                write_event(ledger, event)
                line = ticker.line(event)
                if line is not None:
                    screen.print(line, soft_wrap=True)
            screen.print(ticker.summary(), soft_wrap=True)
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
    return ExitCode.INTERRUPTED

"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

from econnlab.cli.console import LabConsole, console
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import interrupts
from econnlab.cli.saving import EventFile
from econnlab.commands.serve.report import Ticker
from econnlab.commands.serve.serving import Serving
from econnlab.errors import ExitCode
from econnlab.scenario.durations import format_ms
from econnlab.scenario.server import ServerSpec
from econnlab.system.sockets import address


def serve_in_foreground(spec: ServerSpec, jsonl: str | None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with interrupts() as stop, EventFile(jsonl) as ledger:
        screen = console(stderr=jsonl == STDOUT)
        serving = Serving(spec)
        stop.stops(serving.interrupt)
        with serving:
            ledger.begin()
            _greet(screen, spec, serving)
            ticker = Ticker()
            for event in serving.events():
                ledger.event(event)
                line = ticker.line(event)
                if line is not None:
                    screen.text(line)
            screen.text(ticker.summary())
    return ExitCode.INTERRUPTED


def _greet(screen: LabConsole, spec: ServerSpec, serving: Serving) -> None:
    where = address((spec.host, serving.port))
    screen.text(
        f"listening on {'https' if spec.tls else 'http'}://{where}/, keep-alive timeout "
        f"{format_ms(spec.keepalive_timeout_ms)} ms; Ctrl-C ends",
    )
    if serving.authority is not None:
        screen.text(f"clients must trust {serving.authority} (curl --cacert)")

"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

from econnlab.cli.console import LabConsole, console, say
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import interrupts
from econnlab.cli.saving import EventFile
from econnlab.commands.serve.report import Ticker
from econnlab.errors import ExitCode
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.stage import Stage
from econnlab.scenario.durations import format_ms
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec, reuse_warning
from econnlab.system.sockets import address


def serve_in_foreground(spec: ServerSpec, jsonl: str | None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with interrupts() as stop, EventFile(jsonl) as ledger:
        screen = console(stderr=jsonl == STDOUT)
        raise_descriptors()
        with Stage(Scenario("serve", server=spec)) as stage:
            ledger.begin()
            _greet(screen, spec, stage)
            ticker = Ticker()
            for event in stage.follow(lambda: stop.happened):
                ledger.event(event)
                line = ticker.line(event)
                if line is not None:
                    screen.text(line)
            screen.text(ticker.summary())
    return ExitCode.INTERRUPTED


def _greet(screen: LabConsole, spec: ServerSpec, stage: Stage) -> None:
    where = address((spec.host, stage.address[1]))
    screen.print(
        f"listening on {'https' if spec.tls else 'http'}://{where}/, keep-alive timeout "
        f"{format_ms(spec.keepalive_timeout_ms)} ms; Ctrl-C ends",
    )
    if warning := reuse_warning(spec, "--no-advertise"):
        say(warning, "yellow")
    if stage.trusted is not None:
        screen.text(f"clients must trust {stage.trusted} (curl --cacert)")

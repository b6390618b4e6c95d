"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

from collections.abc import Sequence

from econnlab.cli.capture_file import CaptureFile
from econnlab.cli.console import LabConsole, console, say
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import interrupts
from econnlab.cli.saving import EventFile
from econnlab.commands.serve.report import Ticker
from econnlab.errors import ExitCode
from econnlab.lab.capturing import ensure_capture, write_in_order
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.stage import Stage
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.durations import format_ms
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec, reuse_warning
from econnlab.system.sockets import address

#: Lines of one batch that are printed; a terminal takes some thousand a second.
MOST_LINES = 200


def serve_in_foreground(spec: ServerSpec, jsonl: str | None, capture: str | None = None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with (
        interrupts() as stop,
        EventFile(jsonl) as ledger,
        CaptureFile(capture, ensure_capture, write_in_order) as packets,
    ):
        screen = console(stderr=jsonl == STDOUT)
        raise_descriptors()
        with Stage(Scenario("serve", server=spec), capture=packets.into) as stage:
            ledger.begin()
            _greet(screen, spec, stage)
            ticker = Ticker()
            for batch in stage.follow(lambda: stop.happened):
                ledger.all(batch)
                _show(screen, ticker, batch)
                for event in batch:
                    packets.note(event)
            packets.write()
            screen.text(ticker.summary())
    return ExitCode.INTERRUPTED


def _show(screen: LabConsole, ticker: Ticker, batch: Sequence[ConnectionEvent]) -> None:
    """Print a batch in one piece, and of a long one the beginning: no server waits for a terminal."""
    lines = [line for event in batch if (line := ticker.line(event)) is not None]
    left_out = len(lines) - MOST_LINES
    if left_out > 0:
        lines[MOST_LINES:] = [f"and {left_out:,} more events, too many to print; --jsonl FILE has them all"]
    if lines:
        screen.text("\n".join(lines))


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

"""The lab server in the foreground: its lines, its ledger as a file, its summary."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, Any

from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import STDOUT, cannot_write
from econnlab.errors import EnvironmentProblem, ExitCode
from econnlab.lab.serving import Serving
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.jsonl import event_json
from econnlab.report.console import OutputClosed, console
from econnlab.report.serving import Ticker
from econnlab.scenario.durations import format_ms
from econnlab.scenario.server import ServerSpec
from econnlab.sockets import address


def serve_in_foreground(spec: ServerSpec, jsonl: str | None) -> int:
    """Serve until interrupted. Returns the exit code."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(interrupts())
        ledger = open_ledger(jsonl, stack)
        screen = console(stderr=jsonl == STDOUT)
        serving = Serving(spec)
        stop.stops(serving.interrupt)
        stack.enter_context(serving)
        ticker = Ticker()
        try:
            where = address((spec.host, serving.port))
            screen.print(
                f"listening on {'https' if spec.tls else 'http'}://{where}/, keep-alive timeout "
                f"{format_ms(spec.keepalive_timeout_ms)} ms; Ctrl-C ends",
                soft_wrap=True,
            )
            if serving.authority is not None:
                screen.print(f"clients are to trust {serving.authority} (curl --cacert)", soft_wrap=True)
            for event in serving.events():
                write_event(ledger, event)
                line = ticker.line(event)
                if line is not None:
                    screen.print(line, soft_wrap=True)
            screen.print(ticker.summary(), soft_wrap=True)
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
    return ExitCode.INTERRUPTED


def open_ledger(where: str | None, stack: contextlib.ExitStack) -> IO[str] | None:
    """The file, which ``stack`` closes, or stdout, or None. Raises EnvironmentProblem."""
    if where is None or where == STDOUT:
        return sys.stdout if where == STDOUT else None
    try:
        return stack.enter_context(Path(where).open("w", encoding="utf-8"))
    except OSError as error:
        raise cannot_write(where, error) from error


def write_event(ledger: IO[str] | None, event: ConnectionEvent) -> None:
    """Write ``event`` as a line. Raises OutputClosed, EnvironmentProblem."""
    if ledger is None or event.kind == Kind.SYNC:
        return
    entry: dict[str, Any] = event_json(event)
    try:
        ledger.write(json.dumps(entry) + "\n")
        ledger.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise EnvironmentProblem(
            f"The ledger could not be written: {error.strerror}.", "Make room for it."
        ) from error

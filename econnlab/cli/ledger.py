"""``--jsonl``: a ledger written while it happens, a line per connection event."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, Any

from econnlab.cli.console import OutputClosed
from econnlab.cli.outputs import STDOUT, cannot_write
from econnlab.errors import EnvironmentProblem
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.jsonl import event_json


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

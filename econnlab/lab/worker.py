"""A process that runs one scenario and writes its record, so that runs do not disturb each other.

It reads an Order as one JSON line from stdin and writes the record as JSON Lines to stdout, like --save; an
error becomes a last line ``{"failed": ...}``. When stdin closes it ends the run early and in good order.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.errors import EconnlabError
from econnlab.record.jsonl import counters_line, event_line, header_line, request_lines
from econnlab.record.ledger import write_all
from econnlab.scenario.codec import decode, encode
from econnlab.scenario.model import Scenario
from econnlab.system.child import Commands, claim_ledger_stream

if TYPE_CHECKING:
    from econnlab.lab.lab import Lab

#: The environment variable with the worker's folder for temporary files, which it removes at its end.
FOLDER = "ECONNLAB_WORKER_FOLDER"


@dataclass(frozen=True)
class Assignment:
    """What a worker does."""

    scenario: Scenario
    #: Enter a network of its own even without kernel settings.
    private: bool = False
    #: The descriptor of a file for the packets.
    capture: int | None = None


@dataclass(frozen=True)
class FailedRun:
    """An error that ended the run, as a line of the record."""

    message: str
    hint: str
    exit_code: int


def main() -> None:
    """Run what stdin orders."""
    try:
        _obey()
    finally:
        if folder := os.environ.get(FOLDER):
            shutil.rmtree(folder, ignore_errors=True)


def _obey() -> None:
    record_fd = claim_ledger_stream()
    commands = Commands()
    try:
        order = decode(Assignment, commands.first())
    except EOFError:
        return
    kernel = order.scenario.kernel
    private = kernel is not None or order.private
    try:
        if private:
            from econnlab.lab.namespace import enter

            enter({} if kernel is None else kernel.settings)
        from econnlab.lab.lab import Lab  # imports every client, which the parent does not need

        _run(Lab(order.scenario, own_namespace=private, capture=order.capture), commands, record_fd)
    except EconnlabError as error:
        failed = encode(FailedRun(error.message, error.hint, int(error.exit_code)))
        write_all(record_fd, json.dumps({"failed": failed}).encode() + b"\n")


def _run(lab: Lab, commands: Commands, record_fd: int) -> None:
    threading.Thread(target=_stop_with, args=(commands, lab), daemon=True).start()
    failed: EconnlabError | None = None
    with lab:
        write_all(record_fd, header_line(lab.run).encode())
        try:
            for request in lab.requests():
                assert request is not None
                write_all(record_fd, request_lines(request).encode())
        except EconnlabError as error:
            failed = error
    rest = "".join(map(event_line, lab.run.events)) + counters_line(lab.run)
    write_all(record_fd, rest.encode())
    if failed is not None:
        raise failed


def _stop_with(commands: Commands, lab: Lab) -> None:
    while os.read(commands.fd, 4096):
        pass
    lab.interrupt()

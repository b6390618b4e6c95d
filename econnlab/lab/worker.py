"""A process that runs one scenario and writes its record: so that runs do not disturb each other.

It reads its order as one JSON line from stdin and writes the record as JSON Lines to stdout, as --save does;
an error is a last line ``{"failed": ...}``. It stops in good order when stdin closes: whoever started
it is gone then, or wants no more.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from typing import TYPE_CHECKING

from econnlab.errors import EconnlabError
from econnlab.record.jsonl import counters_line, event_line, header_line, request_lines
from econnlab.record.ledger import write_all
from econnlab.scenario.codec import decode
from econnlab.scenario.model import Scenario
from econnlab.system.child import Commands, claim_ledger_stream

if TYPE_CHECKING:
    from econnlab.lab.lab import Lab

#: The folder for temporary files that whoever starts a worker makes for it, and either of the two removes.
FOLDER = "ECONNLAB_WORKER_FOLDER"


def main() -> None:
    """Run what stdin orders.

    ``scenario``; ``private``: in a network of its own, also without kernel settings; ``capture``: the
    descriptor of a file for its packets, or null.
    """
    try:
        _obey()
    finally:
        if folder := os.environ.get(FOLDER):
            shutil.rmtree(folder, ignore_errors=True)


def _obey() -> None:
    record_fd = claim_ledger_stream()
    commands = Commands()
    order = commands.first()
    scenario = decode(Scenario, order["scenario"])
    private = scenario.kernel is not None or order["private"]
    try:
        if private:
            from econnlab.lab.namespace import enter

            enter({} if scenario.kernel is None else scenario.kernel.settings)
        from econnlab.lab.lab import Lab  # with every client: who only starts a worker needs none of them

        lab = Lab(scenario, own_namespace=private, capture=order["capture"])
        _run(lab, commands, record_fd)
    except EconnlabError as error:
        failed = {"message": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
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


if __name__ == "__main__":
    main()

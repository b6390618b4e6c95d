"""The capture's process; see econnlab.system.child for how it is talked to."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from typing import Any

from econnlab.packets.live.filter import program
from econnlab.packets.live.recording import Recording
from econnlab.packets.live.ring import Ring, interface_name, loopback_index
from econnlab.packets.live.settings import CaptureSettings
from econnlab.system.child import Command, Commands, Verb, claim_ledger_stream
from econnlab.system.clock import now

#: After a first packet so many ms go by until it is taken out, with all that have come meanwhile: to wake up
#: for each would take time from the run. The ring holds some 16,000.
_GATHER_MS = 20


def main() -> None:
    """Capture by the packet socket that the settings name, until told to stop."""
    ledger_fd = claim_ledger_stream()
    commands = Commands()
    settings = CaptureSettings(**commands.first())
    sock = socket.socket(fileno=settings.listener_fd)
    ring = Ring(sock, program(settings.ports, loopback_index()))
    stream = os.fdopen(settings.into, "wb")
    recording = Recording(stream, interface_name)
    _say(ledger_fd, "listening", local=settings.local)
    _record(ring, recording, commands, ledger_fd)
    recording.finish()
    failed = {} if recording.failed is None else {"errno": recording.failed}
    _say(ledger_fd, "captured", packets=recording.packets, dropped=ring.dropped(), **failed)
    ring.close()
    with contextlib.suppress(OSError):  # what could not be written has been told
        stream.close()


def _record(ring: Ring, recording: Recording, commands: Commands, ledger_fd: int) -> None:
    orders, either = select.poll(), select.poll()
    orders.register(commands.fd, select.POLLIN)
    for fd in (commands.fd, ring.fileno()):
        either.register(fd, select.POLLIN)
    ready = _obeyed(commands.waiting(), ring, recording, ledger_fd)
    while ready:
        either.poll()
        if orders.poll(_GATHER_MS):
            ready = _obeyed(commands.read(), ring, recording, ledger_fd)
        else:
            recording.add(ring.packets())
    recording.add(ring.packets())


def _obeyed(orders: list[Command], ring: Ring, recording: Recording, ledger_fd: int) -> bool:
    """Carry them out. False if one is to stop."""
    for command in orders:
        if command.verb is Verb.SYNC:
            recording.add(ring.packets())
            recording.finish()
            _say(ledger_fd, "sync", reason=command.value)
    return not any(command.verb is Verb.STOP for command in orders)


def _say(ledger_fd: int, kind: str, **details: Any) -> None:
    """A line of the ledger, as econnlab.record.events has it, which stands on the same floor as this."""
    line = json.dumps({"at": now(), "source": "capture", "kind": kind, **details})
    with contextlib.suppress(BrokenPipeError):  # whoever read it has gone: the commands end as well
        os.write(ledger_fd, line.encode() + b"\n")


if __name__ == "__main__":
    main()

"""Faults: the server ends a connection, or itself, at a stage of a request."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from econnlab.record.events import Kind
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import IDEMPOTENT, Ending, Fault, Stage

if TYPE_CHECKING:
    from econnlab.server.connection import ServedConnection
    from econnlab.server.lab_server import LabServer

#: The reason in the ledger: the application ended the connection by itself.
ABORTED = "aborted"


class Faults:
    """Strikes as ``fault`` says; does nothing where that is None."""

    def __init__(self, server: LabServer, fault: Fault | None) -> None:
        self._server = server
        self._fault = fault
        self._struck = 0

    def expects(self, stage: Stage, request: int, method: str = "") -> bool:
        """The request number ``request`` of a connection, with this method, is to meet it at ``stage``."""
        fault = self._fault
        if fault is None or fault.at is not stage or request < fault.request:
            return False
        if fault.writes and method in IDEMPOTENT:
            return False
        return fault.times is None or self._struck < fault.times

    def follows_at_once(self, request: int) -> bool:
        """The FIN comes right behind the answer to this request: whoever has read the one has the other."""
        fault = self._fault
        return (
            fault is not None
            and fault.by is Ending.FIN
            and not fault.after_ms
            and self.expects(Stage.ANSWERED, request)
        )

    def strike(self, connection: ServedConnection, stage: Stage) -> bool:
        """Whether ``connection`` meets it now, and must do nothing more with this request."""
        if not self.expects(stage, connection.requests, connection.method):
            return False
        assert self._fault is not None
        self._struck += 1
        self._server.ledger.event(Kind.FAULT, connection.number, reason=stage.value, how=self._fault.by.value)
        if self._fault.after_ms:
            self._server.loop.call_later(seconds(self._fault.after_ms), self._end, connection)
            return stage is not Stage.ANSWERED  # an answered connection waits for its next request
        self._end(connection)
        return True

    def _end(self, connection: ServedConnection) -> None:
        assert self._fault is not None
        if self._fault.by is Ending.KILL:
            self._server.ledger.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault.by is Ending.NOTHING:
            connection.fall_silent()
            return
        connection.close(ABORTED, self._fault.by.value)

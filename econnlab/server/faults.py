"""Faults: the server ends a connection, or itself, at a stage of a request."""

import asyncio
import os
import signal
from typing import Protocol

from econnlab.record.events import CloseReason, Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.durations import seconds
from econnlab.scenario.server import IDEMPOTENT, CloseWith, Ending, Fault, Stage


class Victim(Protocol):
    """The connection that a fault strikes."""

    number: int
    #: How many requests have begun on it.
    requests: int

    @property
    def method(self) -> str:
        """Of the request in progress; empty if none has been read."""

    def close(self, reason: CloseReason, close_with: CloseWith | None = None) -> None:
        """Close it at once."""

    def fall_silent(self) -> None:
        """Stay open, and neither read nor say anything more."""


class Faults:
    """Strikes as ``fault`` says; does nothing if that is None."""

    def __init__(self, fault: Fault | None, loop: asyncio.AbstractEventLoop, ledger: Ledger) -> None:
        self._fault = fault
        self._loop = loop
        self._ledger = ledger
        self._struck = 0

    def expects(self, stage: Stage, request: int, method: str = "") -> bool:
        """Whether a connection's request number ``request``, of this method, meets it at ``stage``."""
        fault = self._fault
        if fault is None or fault.at is not stage or request < fault.request:
            return False
        if fault.writes and method in IDEMPOTENT:
            return False
        return fault.times is None or self._struck < fault.times

    def follows_at_once(self, request: int) -> bool:
        """The FIN or RST comes right behind the answer to this request, which is held back until then."""
        fault = self._fault
        return (
            fault is not None
            and fault.by in (Ending.FIN, Ending.RST)
            and not fault.after_ms
            and self.expects(Stage.ANSWERED, request)
        )

    def strike(self, connection: Victim, stage: Stage) -> bool:
        """Whether ``connection`` meets the fault now, and must do nothing more with this request."""
        if not self.expects(stage, connection.requests, connection.method):
            return False
        assert self._fault is not None
        self._struck += 1
        self._ledger.event(Kind.FAULT, connection.number, reason=stage, how=self._fault.by)
        if self._fault.after_ms:
            self._loop.call_later(seconds(self._fault.after_ms), self._end, connection)
            return stage is not Stage.ANSWERED  # an answered connection waits for its next request
        self._end(connection)
        return True

    def _end(self, connection: Victim) -> None:
        assert self._fault is not None
        if self._fault.by is Ending.KILL:
            self._ledger.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._fault.by is Ending.NOTHING:
            connection.fall_silent()
        else:
            connection.close(CloseReason.ABORTED, CloseWith(self._fault.by.value))

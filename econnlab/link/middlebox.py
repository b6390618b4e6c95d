"""The entry of a connection in a middlebox's table. Pure."""

from __future__ import annotations

from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Middlebox


class Memory:
    """Expires if no packet comes for the idle timeout.

    Nothing is sent at that moment, as with NAT gateways: the next packet finds no entry.
    """

    def __init__(self, middlebox: Middlebox | None, began: float) -> None:
        self.change(middlebox)
        self._last = began
        #: How long the connection had been idle when a packet found it expired.
        self.idle_s = 0.0
        self.expired = False

    def change(self, middlebox: Middlebox | None) -> None:
        """Use another middlebox from now on, or none. An expired entry stays expired."""
        self._timeout_s = None if middlebox is None else seconds(middlebox.idle_timeout_ms)
        #: Answer the next packet of an expired connection with RST.
        self.answers = middlebox is not None and middlebox.rst

    def idle_at(self, at: float) -> float:
        """Seconds since the last packet."""
        return at - self._last

    def would_forget(self, at: float) -> bool:
        """What ``forgets`` would return, without a packet."""
        return self.expired or (self._timeout_s is not None and at - self._last > self._timeout_s)

    def forgets(self, at: float) -> bool:
        """Whether the connection has expired when a packet comes ``at``."""
        if self._timeout_s is not None and not self.expired and at - self._last > self._timeout_s:
            self.idle_s = at - self._last
            self.expired = True
        self._last = at
        return self.expired

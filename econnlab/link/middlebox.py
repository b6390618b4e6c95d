"""What a middlebox remembers of a connection. Pure."""

from __future__ import annotations

from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Middlebox


class Memory:
    """One connection in a middlebox's table: forgotten when no packet came for the idle timeout.

    Nothing is sent at that moment, as with NAT gateways: only the next packet meets it.
    """

    def __init__(self, middlebox: Middlebox | None, began: float) -> None:
        self.change(middlebox)
        self._last = began
        #: How long the connection was idle when it was found forgotten.
        self.idle_s = 0.0
        self.expired = False

    def change(self, middlebox: Middlebox | None) -> None:
        """It is another middlebox from now on, or none; what has been forgotten stays so."""
        self._timeout_s = None if middlebox is None else seconds(middlebox.idle_timeout_ms)
        #: The next packet of a forgotten connection is answered with RST.
        self.answers = middlebox is not None and middlebox.rst

    def idle_at(self, at: float) -> float:
        """Seconds since the last packet."""
        return at - self._last

    def would_forget(self, at: float) -> bool:
        """What ``forgets`` would say, without a packet."""
        return self.expired or (self._timeout_s is not None and at - self._last > self._timeout_s)

    def forgets(self, at: float) -> bool:
        """Whether a packet that comes ``at`` belongs to a forgotten connection."""
        if self._timeout_s is not None and not self.expired and at - self._last > self._timeout_s:
            self.idle_s = at - self._last
            self.expired = True
        self._last = at
        return self.expired

"""How many bytes of a connection pass before it is reset. Pure."""

from __future__ import annotations

from econnlab.link.endpoint import Endpoint
from econnlab.scenario.treatment import Counted, ResetAfter

_ENDS = {Counted.TO_CLIENT: ("server",), Counted.TO_SERVER: ("client",), Counted.BOTH: ("client", "server")}


class Allowance:
    """What is left of ``plan``; without a plan everything passes."""

    def __init__(self, plan: ResetAfter | None) -> None:
        self._left = 0 if plan is None else plan.size
        self._ends = () if plan is None else _ENDS[plan.counted]

    def room(self, end: Endpoint, most: int) -> int:
        """How many of ``most`` bytes from ``end`` may pass."""
        return min(most, self._left) if end.name in self._ends else most

    def spend(self, end: Endpoint, size: int) -> bool:
        """``size`` bytes from ``end`` have passed. Returns whether they were the last ones."""
        if end.name not in self._ends:
            return False
        self._left -= size
        return not self._left

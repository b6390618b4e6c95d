"""What a relay needs of its link."""

from __future__ import annotations

from typing import Protocol

from econnlab.link.clockwork import Clockwork
from econnlab.link.endpoint import Upstreams
from econnlab.record.ledger import Ledger
from econnlab.scenario.treatment import Treatment


class Owner(Protocol):
    """A Link."""

    clockwork: Clockwork
    ledger: Ledger
    treatment: Treatment
    upstreams: Upstreams
    traced: bool
    buffer: memoryview

    def on_connect_failed(self, failed: int) -> None:
        """The server could not be reached: ``failed`` is the errno."""

    def forget(self, number: int) -> None:
        """The relay of this number has ended."""

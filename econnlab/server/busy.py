"""A busy event loop: blocked at intervals, as by long synchronous computations."""

import asyncio
import time

from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.system.clock import now


def keep_busy(loop: asyncio.AbstractEventLoop, ledger: Ledger, block_s: float, every_s: float) -> None:
    """Block ``loop`` for ``block_s`` every ``every_s``, start to start, for as long as it runs."""
    began = now()

    def block() -> None:
        at = now()
        # On purpose: nothing else in this process runs meanwhile.
        time.sleep(block_s)
        ledger.event(Kind.BUSY, began=at)
        rounds = int((at - began) / every_s) + 1
        loop.call_at(began + rounds * every_s, block)

    loop.call_at(began + every_s, block)

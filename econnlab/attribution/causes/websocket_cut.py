"""A WebSocket ended without a close frame."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, likely
from econnlab.record.attempts import Outcome

HELP = "the WebSocket ended without a close frame of either side (code 1006)"
#: Found in captures alone: the lab's own runs have no WebSockets.
OF_CAPTURES = True
ADVICE = (
    "Its WebSockets end without a close frame: look for idle timeouts of proxies, and send pings more "
    "often than these."
)


def explain(case: Case) -> Finding | None:
    """A FIN or RST, and no close frame before it."""
    facts = case.packets
    if facts is None or not facts.cut_websocket or case.attempt.outcome is not Outcome.OTHER:
        return None
    if facts.end is None and facts.client_end is None:
        return None
    by = f"server sent {facts.end}" if facts.end is not None else f"client sent {facts.client_end}"
    return likely(f"{by}, and neither side had sent a close frame")

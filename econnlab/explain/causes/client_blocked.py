"""The client had the connection in hand and was held up before it wrote; meanwhile the server closed."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain, ms

NAME = "client_blocked"
HELP = "the client was held up with the connection in hand, and the server closed it before the client wrote"


def explain(case: Case) -> Finding | None:
    """Sent at once, the request would have arrived before the close; sent when it was, it came after."""
    if not case.attempt.reused or not case.unanswered or case.held_up_s is None:
        return None
    if case.close_reason != "idle_timeout" or case.server_close is None or case.arrival is None:
        return None
    return certain(
        f"client took this connection up and wrote {ms(case.held_up_s)} later; server closed it "
        f"{ms(case.arrival - case.server_close.at)} before the request arrived"
    )

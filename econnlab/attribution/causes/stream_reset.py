"""The server ended a stream of HTTP/2, or said that it would act on no more of them."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome

HELP = "the server ended the request's HTTP/2 stream (RST_STREAM), or the whole connection with GOAWAY"
#: Found in captures alone: the lab's own servers speak HTTP/1.
OF_CAPTURES = True
ADVICE = (
    "It ends HTTP/2 streams or connections: the error code tells why. Streams above the last one that "
    "GOAWAY names may be repeated safely, whatever the method (RFC 9113 section 6.8)."
)


def explain(case: Case) -> Finding | None:
    """Its RST_STREAM on the request's stream, or its GOAWAY before the connection ended."""
    facts, outcome = case.packets, case.attempt.outcome
    if facts is None or not facts.note:
        return None
    if "RST_STREAM by the server" in facts.note:
        return certain(f"server ended the request's stream: {facts.note}")
    if facts.note.startswith("GOAWAY") and outcome in LOST | {Outcome.TRUNCATED}:
        return likely(f"server sent {facts.note}")
    return None

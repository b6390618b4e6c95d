"""The process at the other end died."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "the process at the other end died, and its kernel closed the connection for it"
#: What packets alone can say.
HELP_FROM_PACKETS = (
    "the server's connections ended and its port refused from then on, as when its process dies"
)
COLUMN = 4
ADVICE = (
    "Its process ended with requests in progress. Look for the out-of-memory killer, a supervisor's "
    "timeout or a crash at these times."
)


_ENDED = LOST | {Outcome.TRUNCATED}
#: A dying process's sockets close in do_exit(); its parent notices when the last pipe closes.
_SEEN_LATE_S = 0.5


def explain(case: Case) -> Finding | None:
    """A process of the lab died before this attempt ended, and its ledger names no other end."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    attempt = case.attempt
    died = next((event for event in case.around.events if event.kind == Kind.DIED), None)
    if died is None or case.server_close is not None or attempt.outcome not in _ENDED:
        return None
    after = attempt.ended - died.at
    if after < -_SEEN_LATE_S:
        return None
    how = f" of {died.how}" if died.how else ""
    return certain(f"the {died.reason} process died{how} {_stage(case)}")


def _stage(case: Case) -> str:
    if (part := case.of_request(Kind.PARTIAL)) is not None:
        return f"after {part.bytes} bytes of its response"
    if case.of_request(Kind.PROCESSED) is not None:
        return "after it had carried the request out, before any answer"
    if case.reached is not None:
        return "with the request read and not carried out"
    return "with the request unread in its kernel, or on its way"


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if case.attempt.outcome not in _ENDED or not facts.died:
        return None
    stage = "in the middle of its response" if case.attempt.first_byte else "with this request unanswered"
    return likely(f"server's {facts.end} came {stage}, and from then on its port refused connections")

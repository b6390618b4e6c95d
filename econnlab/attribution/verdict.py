"""What attribution says of a failed attempt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

UNKNOWN = "unknown"


class Certainty(StrEnum):
    """How sure a cause is."""

    #: The ledgers leave no other cause.
    CERTAIN = "certain"
    #: It fits all that is known, and something that would decide is not known.
    LIKELY = "likely"


@dataclass(frozen=True)
class Finding:
    """What one rule makes of a case."""

    certainty: Certainty
    #: One sentence, with the figures that it rests on.
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """The cause of a failed attempt."""

    cause: str
    certainty: Certainty
    evidence: str


def certain(evidence: str) -> Finding:
    """A finding that leaves no other cause."""
    return Finding(Certainty.CERTAIN, evidence)


def likely(evidence: str) -> Finding:
    """A finding that fits what is known."""
    return Finding(Certainty.LIKELY, evidence)


def ms(seconds: float) -> str:
    """``1.3 ms``: how evidence writes a span."""
    return f"{seconds * 1000:.1f} ms"


def carried_out(times: int | None) -> str:
    """``; not carried out``: how often the server did what was asked, to be added to the evidence."""
    if times is None:
        return ""
    return f"; carried out {times} times" if times > 1 else "; carried out" if times else "; not carried out"

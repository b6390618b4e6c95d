"""The results of attribution."""

from dataclasses import dataclass
from enum import StrEnum

UNKNOWN = "unknown"


class Certainty(StrEnum):
    """How sure a cause is."""

    #: The evidence excludes every other cause.
    CERTAIN = "certain"
    #: It fits the evidence, which does not exclude every other cause.
    LIKELY = "likely"


@dataclass(frozen=True)
class Finding:
    """The result of one rule."""

    certainty: Certainty
    #: One sentence with its figures.
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """The cause of a failed attempt."""

    cause: str
    certainty: Certainty
    evidence: str


def certain(evidence: str) -> Finding:
    """A finding that excludes every other cause."""
    return Finding(Certainty.CERTAIN, evidence)


def likely(evidence: str) -> Finding:
    """A finding that fits the evidence."""
    return Finding(Certainty.LIKELY, evidence)


def ms(seconds: float) -> str:
    """``1.3 ms``: how evidence writes a span."""
    return f"{seconds * 1000:.1f} ms"


def carried_out(times: int | None) -> str:
    """``; not carried out``: how often the server carried the request out, to append to the evidence."""
    if times is None:
        return ""
    return f"; carried out {times} times" if times > 1 else "; carried out" if times else "; not carried out"
